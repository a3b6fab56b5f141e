//! What the process sees to before anything else: that it leaves nothing behind, however it ends.

use anyhow::Context;

/// What a shell reports for a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// SIGINT, SIGTERM and the closing of a console, which run no destructors, remove what is temporary; a crash leaves no core
/// file, which would hold the Auth-Key.
pub fn prepare() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
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
