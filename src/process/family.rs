//! Defines a job's family: its leader and everything that it started, found and ended together.
//!
//! On Linux driftdeck makes itself the reaper of orphans, so that each member stays one of its descendants; a walk down
//! the process tree finds it by the leader's session, or by the mark in its environment if it left that session too.
//! What also cleared its environment and was orphaned is out of reach. Elsewhere the leader's process group is the family.

use super::job::Limits;
use rustix::process::{Pid, Signal};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Rounds of killing before what cannot be killed (a process stuck in the kernel) is given up.
const ROUNDS: u32 = 400;
const BETWEEN_ROUNDS: Duration = Duration::from_millis(5);
/// Walks in a row that must find nothing. One alone may miss an orphan that the kernel hands over to driftdeck between the
/// look at its old parent and that at its new one.
const EMPTY_WALKS: u32 = 2;

/// The mark that every member of a family carries in its environment.
pub(super) struct Mark(String);

impl Mark {
    pub const NAME: &'static str = "DRIFTDECK_CHILD";

    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    pub fn value(&self) -> &str {
        &self.0
    }
}

/// A running family. Dropping it ends it.
pub(super) struct Family {
    leader: Pid,
    mark: Mark,
    /// Set once nothing of it is left, so that a process id that is used again is never signalled.
    gone: AtomicBool,
}

impl Family {
    pub fn new(leader: Pid, mark: Mark) -> Self {
        Self { leader, mark, gone: AtomicBool::new(false) }
    }

    /// Applies the limits that the kernel keeps. The leader has only just started: what it forks inherits them.
    pub fn limit(&self, limits: &Limits) {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Resource, Rlimit, prlimit};
            let at_most = |most| Rlimit { current: Some(most), maximum: Some(most) };
            // A leader that is gone already needs no limits.
            let _ = prlimit(Some(self.leader), Resource::Core, at_most(0));
            if let Some(bytes) = limits.memory_bytes {
                let _ = prlimit(Some(self.leader), Resource::As, at_most(bytes));
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = limits;
    }

    /// Returns once the family has more than `most` processes.
    pub async fn outgrows(&self, most: u64, every: Duration) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        loop {
            tokio::time::sleep(every).await;
            if tree::members(self.leader, &self.mark, most.saturating_add(1)).len() > most {
                return;
            }
        }
    }

    /// Kills every member and takes the orphans out of the process table.
    pub async fn end(&self) {
        let mut empty = 0;
        for _ in 0..ROUNDS {
            empty = if self.end_once() { empty + 1 } else { 0 };
            if empty == EMPTY_WALKS {
                break;
            }
            tokio::time::sleep(BETWEEN_ROUNDS).await;
        }
        self.gone.store(true, Ordering::Release);
    }

    /// Kills whatever is there now, and returns whether nothing is left but the leader's own entry.
    fn end_once(&self) -> bool {
        if self.gone.load(Ordering::Acquire) {
            return true;
        }
        // One call for the whole group: what is being forked right now is killed as well.
        let _ = rustix::process::kill_process_group(self.leader, Signal::KILL);
        let mut left = false;
        for member in tree::members(self.leader, &self.mark, usize::MAX) {
            if member.pid == self.leader {
                // Its entry is the runtime's to take.
                left |= !member.dead;
                continue;
            }
            left = true;
            if !member.dead {
                let _ = rustix::process::kill_process(member.pid, Signal::KILL);
            }
            if member.ours {
                let _ = rustix::process::waitpid(Some(member.pid), rustix::process::WaitOptions::NOHANG);
            }
        }
        !left
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // A job whose future was dropped: no runtime to wait in, so a few rounds against what forks meanwhile.
        let mut empty = 0;
        for _ in 0..50 {
            empty = if self.end_once() { empty + 1 } else { 0 };
            if empty == EMPTY_WALKS {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Makes driftdeck the parent of what its children leave behind.
pub(super) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
                tracing::warn!(%error, "orphans of child programs cannot be adopted");
            }
        });
    }
}

/// One member as the process tree shows it.
pub(super) struct Member {
    pub pid: Pid,
    /// Ended, but its entry is still in the process table.
    pub dead: bool,
    /// A direct child of driftdeck.
    pub ours: bool,
}

#[cfg(target_os = "linux")]
mod tree {
    use super::{Mark, Member, Pid};

    /// Returns the family's members, at most `most` of them.
    pub fn members(leader: Pid, mark: &Mark, most: usize) -> Vec<Member> {
        let own = children_of(rustix::process::getpid());
        let mut open: Vec<(Pid, bool)> = own
            .into_iter()
            .filter(|pid| *pid == leader || session_of(*pid) == Some(leader) || carries(*pid, mark))
            .map(|pid| (pid, true))
            .collect();
        let mut members = Vec::new();
        while let Some((pid, ours)) = open.pop() {
            if members.len() >= most {
                break;
            }
            let Some(dead) = is_dead(pid) else { continue };
            members.push(Member { pid, dead, ours });
            open.extend(children_of(pid).into_iter().map(|child| (child, false)));
        }
        members
    }

    /// Source of the file: proc(5), `/proc/pid/task/tid/children`.
    fn children_of(parent: Pid) -> Vec<Pid> {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
        threads
            .flatten()
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
            .flat_map(|line| line.split_ascii_whitespace().filter_map(read_pid).collect::<Vec<_>>())
            .collect()
    }

    /// Returns one of the fields of proc(5), `/proc/pid/stat`, counted from the state.
    fn stat_field(pid: Pid, field: usize) -> Option<String> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name, in parentheses, may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        fields.split_ascii_whitespace().nth(field).map(ToOwned::to_owned)
    }

    fn is_dead(pid: Pid) -> Option<bool> {
        stat_field(pid, 0).map(|state| state == "Z" || state == "X")
    }

    fn session_of(pid: Pid) -> Option<Pid> {
        stat_field(pid, 3).and_then(|session| read_pid(&session))
    }

    /// Reads a process or session id. The kernel writes -1 for the session of a process that is just being taken out
    /// of the process table, which is none.
    fn read_pid(text: &str) -> Option<Pid> {
        text.parse().ok().filter(|id| *id > 0).and_then(Pid::from_raw)
    }

    fn carries(pid: Pid, mark: &Mark) -> bool {
        let wanted = format!("{}={}", Mark::NAME, mark.value());
        std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
        })
    }

    #[cfg(test)]
    mod tests {
        use super::read_pid;

        #[test]
        fn a_process_that_is_going_has_no_session() {
            assert_eq!(read_pid("-1"), None);
            assert_eq!(read_pid("0"), None);
            assert_eq!(read_pid("7").map(|pid| pid.as_raw_nonzero().get()), Some(7));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod tree {
    use super::{Mark, Member, Pid};

    /// The process group is all that can be reached here.
    pub fn members(_: Pid, _: &Mark, _: usize) -> Vec<Member> {
        Vec::new()
    }
}
