//! Standard output and standard error, each written by a thread of its own. A reader that does not read them
//! delays that thread and no other.
//!
//! ```text
//! any thread ──offer──▶ queue ──▶ thread ──▶ stdout, stderr
//!                         └ full: dropped, counted, reported as soon as the reader is back
//! ```
//!
//! Results of a command, which must all come out, are printed by [`crate::print`].

pub mod bar;

use crate::telemetry::dropped;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// The most text that waits for a reader, in bytes: some thousand lines. As much again is in the thread's hands.
const QUEUE_BYTES_MAX: usize = 1024 * 1024;

/// At the end of the process, the reader is waited for this long.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// Pause before another try to write to a pipe or terminal that is full and that somebody has set to not block.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// Standard error: the log, errors, progress. What is dropped is reported in the log.
pub static STDERR: Output = Output::new(Stream::Stderr);

/// Standard output, for text of which a part may be dropped.
pub static STDOUT: Output = Output::new(Stream::Stdout);

/// Prints a line to standard error, as `eprintln!` does, but never waits and never panics.
#[macro_export]
macro_rules! note {
    ($($words:tt)*) => { $crate::output::STDERR.offer(::std::format!("{}\n", ::std::format_args!($($words)*))) };
}

/// Waits until both are written, but no longer than a second: the end of the process.
pub fn flush() {
    let until = Instant::now() + FLUSH_WITHIN;
    STDERR.written(until);
    STDOUT.written(until);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// The same file once more: the standard library's handles have locks that the process's end would meet.
    #[expect(clippy::disallowed_methods, reason = "this is where they are written without waiting")]
    fn open(self) -> io::Result<File> {
        let descriptor = match self {
            Self::Stdout => io::stdout().as_fd().try_clone_to_owned(),
            Self::Stderr => io::stderr().as_fd().try_clone_to_owned(),
        };
        descriptor.map(File::from)
    }
}

/// A stream, and what waits to be written to it.
pub struct Output {
    stream: Stream,
    queue: Mutex<Queue>,
    /// Something is queued, or everything is written.
    changed: Condvar,
}

struct Queue {
    texts: VecDeque<String>,
    /// Of all `texts`.
    bytes: usize,
    /// Nothing is taken until the thread has taken what is queued: what is dropped is missing in one place.
    full: bool,
    /// Texts dropped since the process started.
    dropped: u64,
    /// Those of them that are not reported yet.
    unreported: u64,
    has_thread: bool,
    is_writing: bool,
}

impl Queue {
    /// Takes a text, or drops it.
    fn take_in(&mut self, text: String) {
        let full = self.bytes + text.len() > QUEUE_BYTES_MAX && !self.texts.is_empty();
        self.full |= full;
        if self.full {
            return self.drop_texts(1);
        }
        self.bytes += text.len();
        self.texts.push_back(text);
    }

    fn drop_texts(&mut self, count: u64) {
        self.dropped += count;
        self.unreported += count;
    }

    /// All that is queued, and how many texts were dropped after it.
    fn take_out(&mut self) -> (VecDeque<String>, u64) {
        (self.bytes, self.full) = (0, false);
        (std::mem::take(&mut self.texts), std::mem::take(&mut self.unreported))
    }

    fn is_written(&self) -> bool {
        self.texts.is_empty() && !self.is_writing
    }
}

impl Output {
    const fn new(stream: Stream) -> Self {
        let queue = Queue {
            texts: VecDeque::new(),
            bytes: 0,
            full: false,
            dropped: 0,
            unreported: 0,
            has_thread: false,
            is_writing: false,
        };
        Self { stream, queue: Mutex::new(queue), changed: Condvar::new() }
    }

    /// Has a text written, which ends its lines itself. Does not wait: when too much is waiting already, the text
    /// is dropped.
    pub fn offer(&'static self, text: String) {
        let mut queue = self.queue();
        if !queue.has_thread {
            let thread = thread::Builder::new().name(self.stream.name().to_owned());
            let started = self.stream.open().and_then(|file| thread.spawn(move || self.run(file)));
            if started.is_err() {
                drop(queue);
                // Where this thread cannot start, no server can: nothing is delayed by the reader.
                let _ = self.stream.open().and_then(|mut file| write(&mut file, &text));
                return;
            }
            queue.has_thread = true;
        }
        queue.take_in(text);
        self.changed.notify_all();
    }

    /// Texts that were dropped since the process started.
    pub fn dropped(&self) -> u64 {
        self.queue().dropped
    }

    /// True when nothing waits to be written.
    pub fn is_written(&self) -> bool {
        self.queue().is_written()
    }

    /// Whether a person looks at it.
    #[expect(clippy::disallowed_methods, reason = "nothing is written")]
    pub fn is_terminal(&self) -> bool {
        match self.stream {
            Stream::Stdout => io::stdout().is_terminal(),
            Stream::Stderr => io::stderr().is_terminal(),
        }
    }

    fn written(&self, until: Instant) {
        let within = until.saturating_duration_since(Instant::now());
        let waits = |queue: &mut Queue| !queue.is_written();
        // Whether everything is written or the time is over, the process goes on to end.
        drop(self.changed.wait_timeout_while(self.queue(), within, waits));
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Writes what is queued, for as long as the process lives.
    fn run(&self, mut file: impl Write) {
        loop {
            let (texts, unreported) = self.next();
            let failed = texts.iter().filter(|text| write(&mut file, text).is_err()).count();
            let report = match (unreported, self.stream) {
                (0, _) | (_, Stream::Stdout) => Ok(()),
                (count, Stream::Stderr) => write(&mut file, &dropped(count)),
            };
            let mut queue = self.queue();
            queue.drop_texts(failed as u64);
            if report.is_err() {
                queue.unreported += unreported;
            }
        }
    }

    /// Waits for something to write.
    fn next(&self) -> (VecDeque<String>, u64) {
        let mut queue = self.queue();
        queue.is_writing = false;
        while queue.texts.is_empty() {
            self.changed.notify_all();
            queue = self.changed.wait(queue).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        queue.is_writing = true;
        queue.take_out()
    }
}

/// Writes a whole text: in one piece where the system takes it so, which keeps the lines of several processes
/// apart.
fn write(file: &mut impl Write, text: &str) -> io::Result<()> {
    let mut left = text.as_bytes();
    while !left.is_empty() {
        match file.write(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => left = &left[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(FULL_PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, PipeReader, pipe};

    /// An output that writes into a pipe.
    fn piped(stream: Stream) -> (&'static Output, PipeReader) {
        let output: &'static Output = Box::leak(Box::new(Output::new(stream)));
        let (reader, writer) = pipe().unwrap();
        output.queue().has_thread = true;
        thread::spawn(move || output.run(writer));
        (output, reader)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn texts_are_written_in_their_order() {
        let (output, reader) = piped(Stream::Stderr);
        for number in 0..100 {
            output.offer(format!("{number}\n"));
        }
        let lines = BufReader::new(reader).lines().take(100).map(Result::unwrap);
        assert!(lines.eq((0..100).map(|number| number.to_string())));
        output.written(soon());
        assert!(output.is_written() && output.dropped() == 0);
    }

    #[test]
    fn without_a_reader_text_is_dropped_and_later_reported_once() {
        let (output, reader) = piped(Stream::Stderr);
        // More than a pipe holds keeps the thread waiting: from now on there is one gap.
        output.offer(format!("{}\n", "x".repeat(QUEUE_BYTES_MAX)));
        while !output.queue().texts.is_empty() {
            thread::yield_now();
        }
        let line = format!("{}\n", "x".repeat(1_023));
        let offered = 4 * QUEUE_BYTES_MAX / line.len();
        let begun = Instant::now();
        (0..offered).for_each(|_| output.offer(line.clone()));
        output.written(Instant::now() + Duration::from_millis(50));
        assert!(begun.elapsed() < Duration::from_secs(5), "it waited for the reader");
        let dropped = output.dropped();
        assert!(dropped > 0 && !output.is_written());

        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        assert_eq!(lines.next().unwrap().len(), QUEUE_BYTES_MAX);
        let whole = lines.by_ref().take(offered - dropped as usize);
        assert!(whole.into_iter().all(|read| read.len() == 1_023));
        let report = lines.next().unwrap();
        assert!(report.contains(&format!("dropped={dropped}")), "{report}");
        output.written(soon());
        output.offer("the next\n".to_owned());
        assert_eq!(lines.next().unwrap(), "the next");
        assert_eq!(output.dropped(), dropped);
    }

    #[test]
    fn a_text_that_is_longer_than_the_queue_is_written() {
        let (output, reader) = piped(Stream::Stdout);
        output.offer(format!("{}\n", "x".repeat(2 * QUEUE_BYTES_MAX)));
        let read = BufReader::new(reader).lines().next().unwrap().unwrap();
        assert_eq!(read.len(), 2 * QUEUE_BYTES_MAX);
    }

    #[test]
    fn text_for_a_closed_pipe_is_counted_and_blocks_nothing() {
        let (output, reader) = piped(Stream::Stderr);
        drop(reader);
        output.offer("into the void\n".to_owned());
        output.written(soon());
        assert_eq!((output.is_written(), output.dropped()), (true, 1));
    }
}
