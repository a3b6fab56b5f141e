//! Only tests: the reader of event logs held against the crate `evtx`.
