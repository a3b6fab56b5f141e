//! The set-up of the process, before anything else: it leaves nothing behind, however it ends; and its
//! priority.

use anyhow::Context;

use crate::say::say;

/// The exit code that a shell reports for an interrupted program.
const INTERRUPTED: i32 = 130;
/// The nice value of a scan, 0 to 19: people who work at the endpoint must not notice it.
#[cfg(unix)]
const NICE: i32 = 10;

/// SIGINT, SIGTERM and the closing of a console, which run no destructors, remove what is temporary; a crash leaves no core
/// file, which would hold the Auth-Key.
pub fn prepare() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        say!("interrupted");
        threatfox::temporary::remove_all();
        std::process::exit(INTERRUPTED);
    })
    .context("can't prepare for being interrupted")?;
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Core, none).context("can't forbid core files")?;
    }
    Ok(())
}

/// Lowers the priority of this process, if the system lets it: a scan at normal priority is still a scan.
#[cfg(unix)]
pub fn lower_priority() {
    let _ = rustix::process::nice(NICE);
}

/// Lowers the priority of this process, if the system lets it: a scan at normal priority is still a scan.
#[cfg(windows)]
pub fn lower_priority() {
    let process = winsafe::HPROCESS::GetCurrentProcess();
    let _ = process.SetPriorityClass(winsafe::co::PRIORITY_CLASS::BELOW_NORMAL);
}
