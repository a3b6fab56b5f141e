//! The command line of the `threatfox` helper.
fn main() {}
