//! Defines the one table of limits. Over a limit is a clear refusal, never a hang.

use std::time::Duration;

/// Bytes of one file that is read as a manifest or values file.
pub const FILE_BYTES: u64 = 16 << 20;
/// Entries of one folder.
pub const FOLDER_ENTRIES: usize = 50_000;
/// Files that are looked at in one repo.
pub const REPO_FILES: usize = 200_000;
/// Folders below one another.
pub const FOLDER_DEPTH: usize = 64;
/// Symbolic links followed for one path.
pub const LINKS_FOLLOWED: usize = 16;
/// Maps and lists below one another in a document.
pub const DOCUMENT_DEPTH: usize = 200;
/// Values in one document once its aliases are resolved.
pub const DOCUMENT_NODES: usize = 2_000_000;
/// Documents in one file.
pub const DOCUMENTS_PER_FILE: usize = 20_000;
/// Bytes of an app's files that are exported for kustomize and helm.
pub const EXPORT_BYTES: u64 = 256 << 20;
/// Files that are exported for kustomize and helm.
pub const EXPORT_FILES: usize = 20_000;
/// Bytes that a child program may print.
pub const CHILD_OUTPUT_BYTES: usize = 64 << 20;
/// Bytes of a child program's error text that are kept.
pub const CHILD_ERROR_BYTES: usize = 16 << 10;
/// Time for one rendering.
pub const RENDER_TIME: Duration = Duration::from_secs(60);
/// Address space of a rendering program.
pub const RENDER_MEMORY_BYTES: u64 = 4 << 30;
/// Processes and threads that a child program may have.
pub const CHILD_PROCESSES: u64 = 512;
/// Characters of a pattern of an ignore rule.
pub const PATTERN_CHARS: usize = 1000;
/// Comparisons of characters that the path patterns of all ignore rules may take on one object.
pub const PATTERN_STEPS: usize = 5_000_000;
/// Time for one jq expression on one object.
pub const JQ_TIME: Duration = Duration::from_secs(10);
/// Time for one jq expression on all objects of a run of the program.
pub const JQ_TIME_OF_ONE: Duration = Duration::from_secs(30);
/// Time for all jq expressions on all objects of a run of the program.
pub const JQ_TIME_OF_ALL: Duration = Duration::from_secs(120);
/// Of each time that jq runs this much counts towards neither: a process has to start.
pub const JQ_START: Duration = Duration::from_millis(50);
/// Spots named by jq expressions that are remembered, so that the same question is not asked again.
pub const JQ_REMEMBERED: usize = 100_000;
/// Address space of the process that runs a jq expression; the allocator reserves a part of it at once.
pub const JQ_MEMORY_BYTES: u64 = 3 << 30;
/// Processes and threads of it.
pub const JQ_PROCESSES: u64 = 8;
/// Time for one fetch or push.
pub const FETCH_TIME: Duration = Duration::from_secs(300);
/// Time for a credential plugin.
pub const CREDENTIAL_TIME: Duration = Duration::from_secs(30);
/// Objects in one page of a list request.
pub const LIST_PAGE: u32 = 500;
/// Objects of one kind that are kept.
pub const OBJECTS_PER_KIND: usize = 200_000;
/// Messages that wait in a channel.
pub const CHANNEL: usize = 1024;
/// Lines of a text diff.
pub const DIFF_LINES: usize = 20_000;
/// Bytes of a text that is highlighted.
pub const HIGHLIGHT_BYTES: usize = 512 << 10;
/// Commits of an app's history that are read at first.
pub const HISTORY_PAGE: usize = 50;
/// Commits of an app's history that are read at most.
pub const HISTORY: usize = 2_000;
/// Notices that are kept.
pub const NOTICES: usize = 500;
/// After this time unconfirmed, a cluster or watch is stale.
pub const STALE_AFTER: Duration = Duration::from_secs(10);
