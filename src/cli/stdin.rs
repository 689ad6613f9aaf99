//! Defines how standard input is read: apart from everything else, because nothing can end a read that waits for somebody
//! to type.

use crate::cli::Failed;
use crate::model::{Notice, limits};
use crate::pipeline::offline::Source;
use std::io::Read;
use tokio::sync::oneshot;

/// Does work that reads standard input on a thread of its own, for which nobody waits when the program ends.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failed> + Send + 'static,
) -> Result<T, Failed> {
    let (reply, answer) = oneshot::channel();
    // Who asked may have gone.
    std::thread::spawn(move || drop(reply.send(work())));
    answer.await.unwrap_or_else(|_| Err(Box::new(Notice::error("standard input cannot be read"))))
}

/// Reads a whole file, or all of standard input for `-`. A pipe may never give anything, so it is read apart too.
pub async fn whole(path: &str) -> Result<Vec<u8>, Failed> {
    if path == "-" {
        return apart(read).await;
    }
    let path = path.to_owned();
    apart(move || {
        let failed = |error: std::io::Error| {
            Box::new(Notice::error(format!("{path} cannot be read")).cause(error.to_string()))
        };
        bounded(std::fs::File::open(&path).map_err(failed)?, &path)
    })
    .await
}

/// Returns where to read from: a path, or all of standard input for `-`.
pub async fn source(path: &str) -> Result<Source, Failed> {
    if path == "-" { apart(read).await.map(Source::Bytes) } else { Ok(Source::Path(path.to_owned())) }
}

fn read() -> Result<Vec<u8>, Failed> {
    bounded(std::io::stdin().lock(), "standard input")
}

/// Reads to the end, but no more than a file may have.
fn bounded(source: impl Read, called: &str) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    let limit = limits::FILE_BYTES;
    let read = source.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| {
        Box::new(Notice::error(format!("{called} cannot be read")).cause(error.to_string()))
    })?;
    if bytes.len() as u64 > limit {
        return Err(Box::new(Notice::error(format!("{called} has more than {limit} bytes"))));
    }
    Ok(bytes)
}
