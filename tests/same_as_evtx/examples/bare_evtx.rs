//! Reads a log with the crate evtx, each event as JSON, on one thread, and prints the number of events: what `make bench`
//! measures `threatfox scan` against.

use evtx::{EvtxParser, ParserSettings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let log = std::env::args().nth(1).ok_or("usage: bare_evtx LOG")?;
    let settings = ParserSettings::default().num_threads(1).indent(false);
    let mut parser = EvtxParser::from_path(log)?.with_configuration(settings);
    let events = parser.records_json_bytes().flatten().count();
    // The count is all that this program is for.
    #[allow(clippy::print_stdout)]
    {
        println!("{events}");
    }
    Ok(())
}
