//! Reads a log with the evtx crate, each event as JSON, on one thread: the bare parse. Prints the number of events.

use evtx::{EvtxParser, ParserSettings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let log = std::env::args().nth(1).ok_or("usage: bare_evtx LOG")?;
    let settings = ParserSettings::default().num_threads(1).indent(false);
    let mut parser = EvtxParser::from_path(log)?.with_configuration(settings);
    println!("{}", parser.records_json_bytes().filter(Result::is_ok).count());
    Ok(())
}
