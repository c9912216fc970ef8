//! Keeps secrets out of core dumps: the memory of a server holds keys, passwords and the data of customers.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Has this process leave no core dump, also where a program of the system takes them (systemd-coredump, apport).
/// On Linux, other processes of the same user can then neither read its memory nor its environment.
pub fn disable() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "disabling core dumps failed");
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!(%error, "disabling core dumps failed");
        }
    }
}
