//! Defines how one job runs from its start to the end of its whole family.

use super::error::ChildError;
use super::family::Family;
use super::job::{Finished, Job};
use crate::text::Outside;
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};
use tokio_util::sync::CancellationToken;

/// How often the family is counted while it runs.
const COUNT_EVERY: Duration = Duration::from_millis(50);
/// Bytes read at a time, and the longest line that a progress callback is given.
const CHUNK: usize = 64 << 10;

/// Runs a job to its end and returns what it left behind, also where the program itself reports failure.
///
/// When this returns, or is dropped, nothing of the job's family is left. Errors: [`ChildError`], but never
/// [`ChildError::Failed`] (see [`Finished::success`]).
pub async fn run(job: Job, cancel: &CancellationToken) -> Result<Finished, ChildError> {
    run_with_progress(job, cancel, &mut |_| {}).await
}

/// Runs a job as [`run`] does, and hands on every line that the program writes to standard error.
///
/// A carriage return ends a line as well, as in the progress of `git fetch`. A line is at most 64 KiB long, and
/// is text from outside.
pub async fn run_with_progress(
    job: Job,
    cancel: &CancellationToken,
    on_line: &mut (dyn FnMut(&Outside) + Send),
) -> Result<Finished, ChildError> {
    let (mut child, family) = start(&job)?;
    let program = job.name();
    let mut stderr_tail = Tail::new(job.limits.stderr_bytes);
    let mut stdout = Vec::new();

    let pipes = (child.stdin().take(), child.stdout().take(), child.stderr().take());
    let (Some(to_child), Some(from_child), Some(words)) = pipes else {
        return Err(ChildError::Broken { program, source: std::io::Error::other("a pipe is missing") });
    };

    let ended = {
        let talk = async {
            let talked = tokio::try_join!(
                wait_for_leader(child.as_mut(), &family),
                read_up_to(from_child, &mut stdout, job.limits.stdout_bytes),
                read_lines(words, &mut stderr_tail, on_line),
                write_all(to_child, job.stdin),
            );
            talked.map_or_else(|stop| stop, |(status, (), (), ())| Ended::ByItself(status))
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Ended::Cancelled,
            ended = talk => ended,
            () = tokio::time::sleep(job.limits.time) => Ended::TimedOut,
            () = family.outgrows(job.limits.processes, COUNT_EVERY) => Ended::TooManyProcesses,
        }
    };
    family.end().await;
    // The leader is dead by now; this only takes its entry out of the process table.
    let _ = child.wait().await;

    let stderr = stderr_tail.into_text();
    match ended {
        Ended::ByItself(status) => {
            Ok(Finished { program, code: status.code(), signal: status.signal(), stdout, stderr })
        }
        Ended::Cancelled => Err(ChildError::Cancelled { program }),
        Ended::TimedOut => Err(ChildError::TimedOut { program, after: job.limits.time, stderr }),
        Ended::TooMuchOutput => {
            Err(ChildError::TooMuchOutput { program, limit: job.limits.stdout_bytes, stderr })
        }
        Ended::TooManyProcesses => {
            Err(ChildError::TooManyProcesses { program, limit: job.limits.processes, stderr })
        }
        Ended::Broken(source) => Err(ChildError::Broken { program, source }),
    }
}

/// How a run came to its end.
enum Ended {
    ByItself(ExitStatus),
    Cancelled,
    TimedOut,
    TooMuchOutput,
    TooManyProcesses,
    Broken(std::io::Error),
}

/// Starts the program as the leader of a new session, so that it has no terminal to read from or write to.
fn start(job: &Job) -> Result<(Box<dyn ChildWrapper>, Family), ChildError> {
    if !job.program.is_absolute() {
        return Err(ChildError::NotAbsolute { program: job.program.clone() });
    }
    let not_started = |source: std::io::Error| {
        if source.kind() == std::io::ErrorKind::NotFound && !job.program.exists() {
            ChildError::NotFound { program: job.name() }
        } else {
            ChildError::NotStarted { program: job.name(), dir: job.dir.clone(), source }
        }
    };
    let mark = super::family::Mark::new();
    let mut command = Command::new(&job.program);
    command
        .args(&job.args)
        .env_clear()
        .envs(job.env.iter().map(|(name, value)| (name, value)))
        .env(super::family::Mark::NAME, mark.value())
        .current_dir(&job.dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    super::family::adopt_orphans();
    let child = CommandWrap::from(command).wrap(ProcessSession).spawn().map_err(not_started)?;
    // Without the wrapper's own way of waiting, which would wait for the whole group in a thread that cannot be ended.
    let child = child.into_inner();
    let Some(leader) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) else {
        return Err(not_started(std::io::Error::other("the started program has no id")));
    };
    let family = Family::new(leader, mark);
    family.limit(&job.limits);
    Ok((child, family))
}

/// Waits for the program itself, then ends what it left running, which may hold the pipes open.
async fn wait_for_leader(child: &mut dyn ChildWrapper, family: &Family) -> Result<ExitStatus, Ended> {
    let status = child.wait().await.map_err(Ended::Broken)?;
    family.end().await;
    Ok(status)
}

async fn read_up_to(mut from: impl AsyncRead + Unpin, into: &mut Vec<u8>, most: usize) -> Result<(), Ended> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await.map_err(Ended::Broken)?;
        if read == 0 {
            return Ok(());
        }
        if into.len() + read > most {
            return Err(Ended::TooMuchOutput);
        }
        into.extend_from_slice(&chunk[..read]);
    }
}

async fn read_lines(
    mut from: impl AsyncRead + Unpin,
    tail: &mut Tail,
    on_line: &mut (dyn FnMut(&Outside) + Send),
) -> Result<(), Ended> {
    let mut chunk = vec![0; CHUNK];
    let mut line = Vec::new();
    let mut say = |line: &mut Vec<u8>| {
        if !line.is_empty() {
            on_line(&Outside::from_bytes(line));
            line.clear();
        }
    };
    loop {
        let read = from.read(&mut chunk).await.map_err(Ended::Broken)?;
        if read == 0 {
            say(&mut line);
            return Ok(());
        }
        tail.extend(&chunk[..read]);
        for byte in &chunk[..read] {
            if matches!(byte, b'\n' | b'\r') {
                say(&mut line);
            } else if line.len() < CHUNK {
                line.push(*byte);
            }
        }
    }
}

async fn write_all(mut to: ChildStdin, bytes: Vec<u8>) -> Result<(), Ended> {
    match to.write_all(&bytes).await {
        // A program need not read what it is given.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Ended::Broken(error)),
        _ => Ok(()),
    }
}

/// The last bytes of a stream.
struct Tail {
    bytes: VecDeque<u8>,
    most: usize,
}

impl Tail {
    fn new(most: usize) -> Self {
        Self { bytes: VecDeque::new(), most }
    }

    fn extend(&mut self, more: &[u8]) {
        let more = &more[more.len().saturating_sub(self.most)..];
        let over = (self.bytes.len() + more.len()).saturating_sub(self.most);
        self.bytes.drain(..over);
        self.bytes.extend(more);
    }

    fn into_text(mut self) -> Outside {
        Outside::from_bytes(self.bytes.make_contiguous())
    }
}
