//! A task ends with the run that has started it: one that goes on would write where another run works, or a purge has removed what there was.

/// The variable of a task's environment that has the process of its run.
pub const RUN: &str = "NORN_BATCH_RUN";

/// In a task: the system ends it when its run ends, however that comes about (Linux). In any other process nothing happens.
pub fn end_with_run() {
    let Some(run) = std::env::var(RUN).ok().and_then(|text| text.parse::<u32>().ok()) else { return };
    #[cfg(target_os = "linux")]
    // A system that cannot leaves things as they are elsewhere.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // It may have ended before.
    if std::os::unix::process::parent_id() != run {
        std::process::exit(1);
    }
}
