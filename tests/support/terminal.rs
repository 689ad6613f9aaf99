//! A program in a pseudo-terminal: what it draws, what is typed, and how it leaves the terminal behind.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, Termios, tcgetattr};

use super::patience::{PATIENCE, eventually};
use super::programs::Home;

/// What has come out of the program so far.
struct Output {
    screen: vt100::Parser,
    raw: Vec<u8>,
}

/// Shared between the test and the thread that reads the terminal.
struct Shared {
    output: Mutex<Output>,
    grown: Condvar,
    let_go: AtomicBool,
}

/// A program that runs in a terminal of its own.
pub struct Terminal {
    shared: Arc<Shared>,
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Option<Box<dyn std::io::Write + Send>>,
    // Kept open, so that the terminal's state outlives the program.
    slave: Option<Box<dyn SlavePty + Send>>,
    reader: Option<JoinHandle<()>>,
    tty: std::path::PathBuf,
    before: Termios,
}

impl Terminal {
    /// Starts the program under test in a home, at a size in cells.
    pub fn driftdeck<S: AsRef<OsStr>>(home: &Home, arguments: &[S], columns: u16, rows: u16) -> Self {
        Self::start(home, home.path(), env!("CARGO_BIN_EXE_driftdeck"), arguments, columns, rows)
    }

    /// Starts any program in a folder: for example `bash --norc --noprofile -i`, where ctrl-z must work.
    pub fn start<S: AsRef<OsStr>>(
        home: &Home,
        folder: &Path,
        program: &str,
        arguments: &[S],
        columns: u16,
        rows: u16,
    ) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let tty = pair.master.tty_name().expect("a terminal with a name");
        let before = tcgetattr(open_tty(&tty)).expect("the terminal's modes");

        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env_clear();
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("a program that can be started");

        let screen = vt100::Parser::new(cells(rows), cells(columns), 0);
        let shared = Arc::new(Shared {
            output: Mutex::new(Output { screen, raw: Vec::new() }),
            grown: Condvar::new(),
            let_go: AtomicBool::new(false),
        });
        let mut source = pair.master.try_clone_reader().expect("the terminal's output");
        let sink = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = source.read(&mut buffer) {
                if sink.let_go.load(Ordering::SeqCst) {
                    break;
                }
                let mut output = lock(&sink.output);
                output.screen.process(&buffer[..length]);
                output.raw.extend_from_slice(&buffer[..length]);
                sink.grown.notify_all();
            }
        });
        let keyboard = pair.master.take_writer().expect("the terminal's input");
        Self {
            shared,
            child,
            master: Some(pair.master),
            keyboard: Some(keyboard),
            slave: Some(pair.slave),
            reader: Some(reader),
            tty,
            before,
        }
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process")
    }

    /// Types keys as text; what is not plain text stands in angle brackets: `jj<enter>`, `<c-c>`, `<s-tab>`, `<esc>`.
    pub fn keys(&mut self, keys: &str) {
        let bytes = bytes_of(keys);
        self.bytes(&bytes);
    }

    /// Types bytes as they are, for what no key sends.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let keyboard = self.keyboard.as_mut().expect("the terminal was not hung up");
        keyboard.write_all(bytes).and_then(|()| keyboard.flush()).expect("a terminal that takes keys");
    }

    /// Waits until the screen satisfies a condition, and returns its text; panics with the screen if it never does.
    #[track_caller]
    pub fn await_screen(&self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) -> String {
        self.await_output(what, |output| holds(output.screen.screen()));
        self.text()
    }

    /// Waits until the screen's text contains something, and returns the text.
    #[track_caller]
    pub fn await_text(&self, part: &str) -> String {
        self.await_screen(&format!("{part:?} on the screen"), |screen| screen.contents().contains(part))
    }

    #[track_caller]
    fn await_output(&self, what: &str, holds: impl Fn(&Output) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut output = lock(&self.shared.output);
        while !holds(&output) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let screen = output.screen.screen().contents();
                drop(output);
                panic!("waited {PATIENCE:?}, and not yet: {what}\n--- the screen\n{screen}\n---");
            }
            output = self.shared.grown.wait_timeout(output, left).expect("a reader that did not panic").0;
        }
    }

    /// Waits until the program has written more bytes than this, and returns when it had.
    #[track_caller]
    pub fn await_more_than(&self, written: usize) -> Instant {
        self.await_output("more bytes", |output| output.raw.len() > written);
        Instant::now()
    }

    /// Waits until the program has been silent for a while: nothing was written since.
    pub fn await_silence(&self, quiet: Duration) {
        let end = Instant::now() + PATIENCE;
        let mut output = lock(&self.shared.output);
        loop {
            let length = output.raw.len();
            let (after, _) = self
                .shared
                .grown
                .wait_timeout_while(output, quiet, |output| output.raw.len() == length)
                .expect("a reader that did not panic");
            if after.raw.len() == length {
                return;
            }
            assert!(Instant::now() < end, "the program does not stop writing");
            output = after;
        }
    }

    /// The screen's text, a line a row, without trailing blanks.
    pub fn text(&self) -> String {
        lock(&self.shared.output).screen.screen().contents()
    }

    /// Looks at the screen: cells with colours, the cursor, modes.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(lock(&self.shared.output).screen.screen())
    }

    /// All bytes that the program has written so far.
    pub fn raw(&self) -> Vec<u8> {
        lock(&self.shared.output).raw.clone()
    }

    /// How many bytes the program has written so far; with [`Self::raw`] it gives what came since.
    pub fn written(&self) -> usize {
        lock(&self.shared.output).raw.len()
    }

    /// Resizes the terminal, which sends the program SIGWINCH.
    pub fn resize(&self, columns: u16, rows: u16) {
        lock(&self.shared.output).screen.set_size(cells(rows), cells(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().expect("the terminal was not hung up").resize(size).expect("a new size");
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("a process that can be signalled");
    }

    /// Takes the terminal away, as a lost SSH connection does: SIGHUP, and every read and write fails from now on.
    pub fn hang_up(&mut self) {
        self.shared.let_go.store(true, Ordering::SeqCst);
        self.slave = None;
        // The reader sits in a read of the last end that we hold; a byte written to the other end wakes it.
        let _ = open_tty(&self.tty).write_all(b"\0");
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.keyboard = None;
        self.master = None;
    }

    /// Waits until the program has ended, and returns its exit code and, where one ended it, the signal.
    #[track_caller]
    pub fn await_exit(&mut self) -> (u32, Option<String>) {
        let screen = Arc::clone(&self.shared);
        let child = &mut self.child;
        let status = eventually("the program ends", || match child.try_wait() {
            Ok(status) => status,
            Err(error) => panic!("{error}\n{}", lock(&screen.output).screen.screen().contents()),
        });
        (status.exit_code(), status.signal().map(ToOwned::to_owned))
    }

    /// The letter by which the kernel names the process's state: `T` is stopped. None once it has ended.
    pub fn process_state(&self) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id()?)).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    /// What is not as it was before the program: its modes, echo, the cursor, the main screen, mouse, paste.
    pub fn left_behind(&self) -> Vec<&'static str> {
        let after = tcgetattr(open_tty(&self.tty)).expect("the terminal's modes");
        self.look(|screen| {
            let traces = [
                (
                    "echo is off",
                    !after.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG),
                ),
                ("other local modes", after.local_modes != self.before.local_modes),
                ("other input modes", after.input_modes != self.before.input_modes),
                ("other output modes", after.output_modes != self.before.output_modes),
                ("alternate screen", screen.alternate_screen()),
                ("hidden cursor", screen.hide_cursor()),
                ("bracketed paste", screen.bracketed_paste()),
                ("application cursor keys", screen.application_cursor()),
                ("application keypad", screen.application_keypad()),
                ("mouse reports", screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None),
            ];
            traces.into_iter().filter_map(|(trace, left)| left.then_some(trace)).collect()
        })
    }

    /// Asserts that the program leaves, or has left, the terminal as it was.
    #[track_caller]
    pub fn assert_given_back(&self) {
        // What the program wrote last may still be on its way to the reader.
        let end = Instant::now() + PATIENCE;
        let mut left = self.left_behind();
        while !left.is_empty() && Instant::now() < end {
            let output = lock(&self.shared.output);
            drop(self.shared.grown.wait_timeout(output, Duration::from_millis(50)));
            left = self.left_behind();
        }
        assert!(left.is_empty(), "the terminal is not as it was: {}\n{}", left.join(", "), self.text());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if self.reader.is_some() {
            self.hang_up();
        }
    }
}

fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    // A condition that panicked in a test poisons it; what was read is still whole.
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal with room")
}

/// Opens the terminal from the program's side, without making it anybody's controlling terminal.
fn open_tty(path: &Path) -> File {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).expect("a flag of open");
    File::options().read(true).write(true).custom_flags(flags).open(path).expect("the terminal by its name")
}

/// Returns what a terminal sends for keys written as text.
fn bytes_of(keys: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = keys;
    while let Some(start) = rest.find('<') {
        bytes.extend_from_slice(&rest.as_bytes()[..start]);
        let end =
            rest[start..].find('>').unwrap_or_else(|| panic!("an open < in {keys:?}; a plain one is <lt>"));
        let name = &rest[start + 1..start + end];
        match name {
            "enter" => bytes.push(b'\r'),
            "esc" => bytes.push(0x1b),
            "tab" => bytes.push(b'\t'),
            "s-tab" => bytes.extend(b"\x1b[Z"),
            "space" => bytes.push(b' '),
            "bs" => bytes.push(0x7f),
            "lt" => bytes.push(b'<'),
            "up" => bytes.extend(b"\x1b[A"),
            "down" => bytes.extend(b"\x1b[B"),
            "right" => bytes.extend(b"\x1b[C"),
            "left" => bytes.extend(b"\x1b[D"),
            "home" => bytes.extend(b"\x1b[H"),
            "end" => bytes.extend(b"\x1b[F"),
            "del" => bytes.extend(b"\x1b[3~"),
            "pgup" => bytes.extend(b"\x1b[5~"),
            "pgdn" => bytes.extend(b"\x1b[6~"),
            _ => match name.strip_prefix("c-").map(str::as_bytes) {
                Some([letter @ b'a'..=b'z']) => bytes.push(letter & 0x1f),
                _ => panic!("no key is called <{name}>"),
            },
        }
        rest = &rest[start + end + 1..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
