//! What processes have used so far, by what the kernel says of them.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The kernel tells CPU time in ticks of a hundredth of a second (`sysconf(_SC_CLK_TCK)`, 100 on every
/// Linux).
const TICK: Duration = Duration::from_millis(10);

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// On the CPU, its own and that of children which have ended.
    pub cpu: Duration,
    /// Sent to the disk, where the kernel tells us: it tells only of processes of the same user.
    pub written_bytes: Option<u64>,
}

/// How often a process's memory is looked at, to see the most of it.
const POLL_EVERY: Duration = Duration::from_millis(200);

/// A process's memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The most that was ever resident, with what it has mapped of files, which the kernel may take back.
    pub peak_bytes: u64,
    /// The most that was resident of its own while it was watched.
    pub anonymous_peak_bytes: u64,
    /// Resident now, of its own.
    pub anonymous_bytes: u64,
}

/// Watches a process's memory until it is told.
pub struct MemoryWatch {
    pid: u32,
    most: Arc<AtomicU64>,
    looking: JoinHandle<()>,
}

impl MemoryWatch {
    /// Begins to watch.
    pub fn start(pid: u32) -> Self {
        let most = Arc::new(AtomicU64::new(0));
        let seen = most.clone();
        let looking = tokio::spawn(async move {
            while let Some(now) = memory(pid) {
                seen.fetch_max(now.anonymous_bytes, Relaxed);
                tokio::time::sleep(POLL_EVERY).await;
            }
        });
        Self { pid, most, looking }
    }

    /// What it has come to. None when the process is gone.
    pub fn told(self) -> Option<Memory> {
        self.looking.abort();
        let now = memory(self.pid)?;
        let most = self.most.load(Relaxed);
        Some(Memory { anonymous_peak_bytes: now.anonymous_peak_bytes.max(most), ..now })
    }
}

/// A process and all that it has started, together. None when it is gone.
pub fn usage_of_tree(root: u32) -> Option<Usage> {
    let mut total = usage(root)?;
    let mut family = vec![root];
    let children = children();
    while let Some(parent) = family.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            family.push(*child);
            let Some(own) = usage(*child) else { continue };
            total.cpu += own.cpu;
            total.written_bytes = total.written_bytes.zip(own.written_bytes).map(|(a, b)| a + b);
        }
    }
    Some(total)
}

/// A process's memory now. None when it is gone.
fn memory(pid: u32) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    };
    let anonymous_bytes = bytes("RssAnon")?;
    let peak_bytes = bytes("VmHWM")?;
    Some(Memory { peak_bytes, anonymous_peak_bytes: anonymous_bytes, anonymous_bytes })
}

/// A process by itself, with its children that have ended. None when it is gone.
pub fn usage(pid: u32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(Usage { cpu: cpu(&stat)?, written_bytes: written(pid) })
}

/// utime, stime, cutime and cstime: the 14th to 17th field (proc_pid_stat(5)). The second, the name, may
/// hold anything, so that they are counted from its end.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(4).map(str::parse::<u32>);
    Some(TICK * ticks.collect::<Result<Vec<_>, _>>().ok()?.into_iter().sum())
}

fn written(pid: u32) -> Option<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.parse().ok()
}

/// Every process's children.
fn children() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(1));
        if let Some(Ok(parent)) = parent.map(str::parse) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_whatever_the_name_is() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 100 50 7 3 20 0 1 0";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1_600)));
        assert_eq!(cpu("nonsense"), None);
    }

    #[test]
    fn this_process_uses_memory_and_is_in_its_own_tree() {
        let pid = std::process::id();
        let told = memory(pid).unwrap();
        assert!(told.peak_bytes >= told.anonymous_bytes && told.anonymous_bytes > 0);
        assert!(usage_of_tree(pid).is_some());
        assert!(usage_of_tree(u32::MAX).is_none());
    }

    #[tokio::test]
    async fn memory_that_was_given_back_has_been_seen() {
        const SIZE: usize = 64 << 20;
        let watch = MemoryWatch::start(std::process::id());
        let much = std::hint::black_box(vec![1_u8; SIZE]);
        tokio::time::sleep(2 * POLL_EVERY).await;
        drop(much);
        let told = watch.told().unwrap();
        assert!(told.anonymous_peak_bytes > SIZE as u64, "{told:?}");
        assert!(told.anonymous_bytes < told.anonymous_peak_bytes, "{told:?}");
    }
}
