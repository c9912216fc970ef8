//! What is read of the process itself: from `/proc`, the allocator, the runtime and the disk.

use super::page::Page;
use crate::version;
use ordermill_domain::clock::Timestamp;
use std::path::PathBuf;
use std::time::Duration;

/// Ticks of the kernel's clock in a second: `sysconf(_SC_CLK_TCK)`, 100 on every Linux of our platforms.
const TICKS: f64 = 100.0;

/// What is known of a server from its start.
#[derive(Clone, Debug)]
pub struct Facts {
    /// `embedded`, or `servers`.
    pub backend: &'static str,
    /// How new orders' steps find each other.
    pub flow: &'static str,
    /// Where the data are. None: on servers.
    pub data_dir: Option<PathBuf>,
}

/// Reads it all; what the system does not tell is absent.
pub fn read(facts: &Facts, now: Timestamp, page: &mut Page) {
    let help = "Always 1: what runs here";
    let build = [
        ("version", version::VERSION),
        ("commit", version::COMMIT),
        ("backend", facts.backend),
        ("flow", facts.flow),
    ];
    page.gauge("ordermill_build_info", help).set(build, 1.0);
    cpu_and_memory(now, page);
    descriptors(page);
    allocator(page);
    runtime(page);
    disk(facts, page);
}

/// The fields of `/proc/self/stat` after the program's name, which may contain blanks (proc(5)); the first is the state.
fn stat() -> Option<Vec<f64>> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect())
}

fn cpu_and_memory(now: Timestamp, page: &mut Page) {
    let Some(stat) = stat() else { return };
    // Numbered as in proc(5), where the state is field 3.
    let field = |number: usize| stat.get(number - 3).copied().unwrap_or(0.0);
    let help = "CPU time of the process, user and system";
    page.counter("process_cpu_seconds", help).set([], (field(14) + field(15)) / TICKS);
    let help = "Threads of the process";
    page.gauge("process_threads", help).set([], field(20));
    let help = "Virtual memory of the process";
    page.gauge("process_virtual_memory_bytes", help).set([], field(23));
    let help = "Resident memory of the process";
    let pages = field(24) * rustix::param::page_size() as f64;
    page.gauge("process_resident_memory_bytes", help).set([], pages);
    if let Some(booted) = booted_at(now) {
        let help = "When the process started, in seconds since 1970";
        page.gauge("process_start_time_seconds", help).set([], booted + field(22) / TICKS);
    }
}

/// When the machine was booted, in seconds since 1970.
fn booted_at(now: Timestamp) -> Option<f64> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some(now.timestamp_micros() as f64 / 1e6 - uptime)
}

fn descriptors(page: &mut Page) {
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let help = "Open file descriptors of the process";
        // One is the directory's own.
        page.gauge("process_open_fds", help).set([], open.count().saturating_sub(1) as f64);
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let help = "File descriptors that the process may open";
    page.gauge("process_max_fds", help).set([], limit.unwrap_or(u64::MAX) as f64);
}

fn allocator(page: &mut Page) {
    use tikv_jemalloc_ctl::{epoch, stats};
    // Statistics are of the moment in which the epoch was advanced last.
    if epoch::advance().is_err() {
        return;
    }
    let help = "Memory of the allocator: allocated by the process, resident, retained for later";
    let family = page.gauge("ordermill_allocator_bytes", help);
    let figures = [
        ("allocated", stats::allocated::read()),
        ("resident", stats::resident::read()),
        ("retained", stats::retained::read()),
    ];
    for (state, bytes) in figures {
        if let Ok(bytes) = bytes {
            family.set([("state", state)], bytes as f64);
        }
    }
}

fn runtime(page: &mut Page) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let metrics = runtime.metrics();
    let help = "Tasks of the asynchronous runtime that have not ended";
    page.gauge("ordermill_runtime_tasks", help).set([], metrics.num_alive_tasks() as f64);
    let help = "Tasks that wait in the asynchronous runtime's global queue";
    page.gauge("ordermill_runtime_queue_depth", help).set([], metrics.global_queue_depth() as f64);
    let busy = (0..metrics.num_workers()).map(|worker| metrics.worker_total_busy_duration(worker));
    let help = "Time that the asynchronous runtime's threads were busy";
    let busy = busy.sum::<Duration>().as_secs_f64();
    page.counter("ordermill_runtime_busy_seconds", help).set([], busy);
}

fn disk(facts: &Facts, page: &mut Page) {
    let Some(directory) = &facts.data_dir else { return };
    let Ok(disk) = rustix::fs::statvfs(directory) else { return };
    let help = "Free space of the data directory's file system";
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    page.gauge("ordermill_data_disk_free_bytes", help).set([], free as f64);
    let help = "Size of the data directory's file system";
    let size = disk.f_blocks.saturating_mul(disk.f_frsize);
    page.gauge("ordermill_data_disk_size_bytes", help).set([], size as f64);
}
