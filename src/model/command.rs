//! Defines the one table of commands: name, keys, where it applies, what it needs, and its help.
//!
//! Keys, palette, footer, help and the manual are all made of this table, so that none of them can lag behind.

/// What a person can tell the deck to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    Down,
    Up,
    First,
    Last,
    PageDown,
    PageUp,
    Search,
    NextMatch,
    PreviousMatch,
    Palette,
    Help,
    Matrix,
    Changes,
    Notices,
    Journal,
    NextUnseen,
    Refresh,
    Redraw,
    Copy,
    Forge,
    LogIn,
    Back,
    Close,
    Interrupt,
    Suspend,
    Mouse,
    ColumnLeft,
    ColumnRight,
    NextColumn,
    PreviousColumn,
    Repos,
    Apps,
    Clusters,
    Drift,
    Open,
    AppDiff,
    Who,
    Pods,
    History,
    Against,
    BestMatch,
    Revert,
    TakeOut,
    Ignore,
    Capture,
    Reach,
    Publish,
    Message,
    Subject,
    Base,
    Editor,
    FaultsOnly,
    ShowQuiet,
    Sort,
    Everything,
    Tick,
    TickRange,
    TickAll,
    Sync,
    Undo,
    Hold,
    Exact,
    NextChange,
    PreviousChange,
    NextResource,
    PreviousResource,
    CycleView,
    Fold,
    ScrollLeft,
    ScrollRight,
    TickStep,
    Unfold,
    StepDiff,
    Replan,
    Uncommitted,
    CopyPlan,
    Apply,
    Since,
    CopyChanges,
}

/// Where a key applies. A place's own keys go before those of everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    Everywhere,
    /// The deck's columns and the drift below them.
    Lists,
    /// One resource, or the diff of a whole app.
    Resource,
    Plan,
    /// The plan of a commit.
    Commit,
    Matrix,
    /// What changed anywhere.
    Changes,
    /// The commits of an app.
    History,
    /// What one of them is against something.
    Effect,
    /// Overlays that are only read: help, notices, who and why.
    Reading,
}

impl Place {
    /// Returns the heading over the place's keys in help and manual.
    pub fn words(self) -> &'static str {
        match self {
            Place::Everywhere => "everywhere",
            Place::Lists => "lists",
            Place::Resource => "a resource",
            Place::Plan => "a plan",
            Place::Commit => "a plan of a commit",
            Place::Matrix => "the matrix",
            Place::Changes => "what changed",
            Place::History => "history",
            Place::Effect => "a commit",
            Place::Reading => "reading",
        }
    }
}

/// What a command needs before it can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    Nothing,
    /// A column or screen that can be moved through.
    List,
    /// A search or filter was made.
    Search,
    /// An app is selected.
    App,
    /// An app in one cluster is selected.
    Deployment,
    /// A resource is selected.
    Resource,
    /// A file on this machine declares what is selected.
    File,
    /// The repo has a forge that is known.
    Forge,
    /// A plugin gives the credentials of the cluster at hand.
    Plugin,
    /// Something changed that was not looked at yet.
    Unseen,
    /// One deployment whose cluster may be written to.
    Writable,
    /// A text diff is shown.
    TextView,
    /// A plan that is ready.
    ReadyPlan,
}

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    pub command: Command,
    /// The name in the palette and in the keymap.
    pub name: &'static str,
    pub keys: &'static [&'static str],
    pub places: &'static [Place],
    pub needs: Need,
    /// What it does, as a sentence without its full stop.
    pub help: &'static str,
    /// The word in the footer, where it is worth a place there.
    pub footer: Option<&'static str>,
}

impl Command {
    /// Returns the command's row of the table.
    pub fn entry(self) -> &'static Entry {
        // The table has every command once, a test proves it; the fallback is never taken.
        COMMANDS.iter().find(|entry| entry.command == self).unwrap_or(&COMMANDS[0])
    }

    /// Returns whether it writes, or leads to a plan of what is written: its key is an upper-case letter.
    pub fn acts(self) -> bool {
        matches!(
            self,
            Command::Sync
                | Command::Undo
                | Command::Hold
                | Command::Revert
                | Command::TakeOut
                | Command::Capture
                | Command::Ignore
                | Command::Publish
                | Command::Apply
        )
    }

    /// Returns the command of this name.
    pub fn named(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|entry| entry.name == name).map(|entry| entry.command)
    }
}

macro_rules! commands {
    ($($command:ident $name:literal [$($key:literal)*] in [$($place:ident)+] needs $need:ident $(as $footer:literal)? : $help:literal;)+) => {
        /// Every command, in the order of help and footer.
        pub const COMMANDS: &[Entry] = &[$(Entry {
            command: Command::$command,
            name: $name,
            keys: &[$($key),*],
            places: &[$(Place::$place),+],
            needs: Need::$need,
            help: $help,
            footer: commands!(@footer $($footer)?),
        }),+];
    };
    (@footer) => { None };
    (@footer $footer:literal) => { Some($footer) };
}

commands! {
    Open "open" ["enter"] in [Lists Matrix Changes History] needs List as "open": "open what is under the cursor";
    AppDiff "app diff" ["d"] in [Lists] needs Deployment as "diff": "the whole app's diff, desired to live";
    NextChange "next change" ["]"] in [Resource] needs List as "change": "go to the next change";
    PreviousChange "previous change" ["["] in [Resource] needs List: "go to the previous change";
    NextResource "next resource" ["}"] in [Resource] needs List as "resource": "go to the next resource";
    PreviousResource "previous resource" ["{"] in [Resource] needs List: "go to the previous resource";
    CycleView "view" ["d"] in [Resource] needs List as "view": "the next view: fields, unified, side by side";
    Fold "fold" ["z"] in [Resource] needs TextView as "fold": "fold or unfold equal lines";
    ScrollLeft "scroll left" ["h" "left"] in [Resource] needs TextView: "move sideways to the left";
    ScrollRight "scroll right" ["l" "right"] in [Resource] needs TextView: "move sideways to the right";
    TickStep "tick step" ["space"] in [Plan Commit] needs ReadyPlan as "tick": "do this step, or leave it alone; of a commit: what the app includes goes back as well";
    Unfold "unfold step" ["enter"] in [Plan] needs ReadyPlan as "unfold": "show or hide what the step changes";
    StepDiff "step diff" ["d"] in [Plan] needs ReadyPlan as "diff": "the whole diff of the step's object";
    Replan "plan again" ["r"] in [Plan Commit] needs Nothing as "plan again": "compute the plan anew";
    Uncommitted "uncommitted" ["w"] in [Plan Commit] needs Nothing: "plan with what is not committed or not pushed, or without; of a commit: on the branch although files have uncommitted changes, which stay";
    CopyPlan "copy plan" ["y"] in [Plan Commit] needs ReadyPlan as "copy": "copy the plan as Markdown";
    Publish "publish" ["P"] in [Commit] needs ReadyPlan as "publish": "plan it as a pull request instead, or pushed to the branch itself, or to stay here";
    Reach "reach" ["v"] in [Commit] needs ReadyPlan as "reach": "how far the ignore rule reaches: this object, every object of its kind, every object";
    Message "message" ["e"] in [Commit] needs ReadyPlan as "message": "write the commit's message in the editor";
    Subject "subject" ["m"] in [Commit] needs ReadyPlan as "subject": "write the first line of the commit's message here";
    Apply "apply" ["A"] in [Plan Commit] needs ReadyPlan as "apply": "write what the plan shows; a protected cluster asks for its name first";
    Since "since" ["s"] in [Changes] needs Nothing as "since": "look further back: 30m, 2h, 24h, 7d";
    CopyChanges "copy changes" ["y"] in [Changes] needs Nothing as "copy": "copy what is listed as Markdown, with what cannot be known";
    History "history" ["c"] in [Lists Resource] needs App as "commits": "the commits that touch the app, and which of them the cluster is at";
    Against "against" ["d"] in [History Effect] needs Nothing as "against": "hold the commits against live, against desired, each against the one before";
    BestMatch "best match" ["b"] in [History] needs Nothing as "best match": "go to the commit that the cluster fits best";
    Revert "revert" ["R"] in [Lists Resource History Effect] needs App as "revert": "plan a commit that puts the app back to what it was at a commit; writes nothing yet";
    TakeOut "take out" ["U"] in [History Effect] needs App as "take out": "plan a commit that takes out what this one changed, as git revert does";
    Base "base" ["space"] in [History] needs List as "base": "hold the other commits against this one; again to end";
    Who "who" ["w"] in [Lists Resource] needs Resource as "who": "the whole story of each field: who wrote it, who declared it, what it was before, and events";
    Exact "exact" ["x"] in [Lists Resource] needs Deployment as "exact": "have the API server dry-run the app, the resource or the ticked resources as the last word; writes nothing";
    Sync "sync" ["S"] in [Lists Resource] needs Writable as "sync": "plan a sync of the app, the resource or the ticked resources; writes nothing yet";
    Undo "undo" ["U"] in [Lists Resource] needs Writable: "plan what undoes a sync of the app in this cluster; writes nothing yet";
    Capture "capture" ["C"] in [Lists Resource] needs Deployment as "capture": "plan a commit that writes live values into the files that declare them: the field, the resource or the ticked resources";
    Hold "hold" ["H"] in [Lists Resource] needs Writable: "plan to pause the app's engine, or let it go on; writes nothing yet";
    Ignore "ignore" ["X"] in [Lists Resource] needs Resource as "ignore": "plan a commit of an ignore rule for the field under the cursor; shows first what it would hide";
    Pods "pods" ["p"] in [Lists Resource] needs Deployment as "pods": "pods, events and last log lines of the app or the resource; forgotten when left";
    Editor "editor" ["e"] in [Lists Resource] needs File as "edit": "open the editor at the file and line that declare it";
    Tick "tick" ["space"] in [Lists] needs Resource: "tick or untick the resource";
    TickRange "tick range" ["v"] in [Lists] needs Resource: "tick from here on while moving; again to end";
    TickAll "tick all" ["*"] in [Lists] needs Deployment: "tick every faulty resource that is listed, or none";
    FaultsOnly "faults only" ["f"] in [Lists Matrix] needs Nothing as "faults": "show only what needs a person, or everything";
    ShowQuiet "show ignored" ["i"] in [Lists Resource] needs Nothing: "show or hide what is ignored, dimmed or in sync";
    Sort "sort" ["s"] in [Lists] needs List: "sort by the worst, by name, or as declared";
    ColumnLeft "column left" ["h" "left"] in [Lists Matrix] needs Nothing: "go to the column on the left";
    ColumnRight "column right" ["l" "right"] in [Lists Matrix] needs Nothing: "go to the column on the right";
    NextColumn "next column" ["tab"] in [Lists] needs Nothing: "go to the next column";
    PreviousColumn "previous column" ["shift-tab"] in [Lists] needs Nothing: "go to the previous column";
    Repos "repos" ["1"] in [Lists] needs Nothing: "go to Repos";
    Apps "apps" ["2"] in [Lists] needs Nothing: "go to Apps";
    Clusters "clusters" ["3"] in [Lists] needs Nothing: "go to Clusters";
    Drift "drift" ["4"] in [Lists] needs Nothing: "go to Drift";
    NextUnseen "next unseen" ["u"] in [Everywhere] needs Unseen as "new": "go to the next change that was not looked at";
    Everything "everything" ["a"] in [Lists Resource] needs Nothing as "all": "everything that is possible here";
    Down "down" ["j" "down"] in [Everywhere] needs List: "move down";
    Up "up" ["k" "up"] in [Everywhere] needs List: "move up";
    First "first" ["g" "home"] in [Everywhere] needs List: "go to the first row";
    Last "last" ["G" "end"] in [Everywhere] needs List: "go to the last row";
    PageDown "page down" ["ctrl-d" "pgdn"] in [Everywhere] needs List: "move down half a screen";
    PageUp "page up" ["ctrl-u" "pgup"] in [Everywhere] needs List: "move up half a screen";
    Search "search" ["/"] in [Everywhere] needs List as "filter": "filter a list, search a text";
    NextMatch "next match" ["n"] in [Everywhere] needs Search: "go to the next match";
    PreviousMatch "previous match" ["N"] in [Everywhere] needs Search: "go to the previous match";
    Palette "palette" [":" "ctrl-p"] in [Everywhere] needs Nothing as "palette": "find a command, an app or a cluster by name";
    Matrix "matrix" ["m"] in [Everywhere] needs Nothing: "apps against clusters";
    Changes "what changed" ["t"] in [Everywhere] needs Nothing as "changes": "what changed anywhere, newest first: edits, commits, syncs, rollouts, warnings";
    Notices "notices" ["!"] in [Everywhere] needs Nothing: "notices and log";
    Journal "journal" [] in [Everywhere] needs Nothing: "what was done, to what, by whom, with what outcome";
    Copy "copy" ["y"] in [Everywhere] needs Nothing: "copy the name, path, command, permalink, or Markdown for the incident channel";
    Forge "forge" ["o"] in [Everywhere] needs Forge: "open it on the forge";
    LogIn "log in" [] in [Everywhere] needs Plugin: "log in to the cluster by hand: its credential plugin gets the terminal";
    Refresh "refresh" ["ctrl-r"] in [Everywhere] needs Nothing: "read repos and clusters again";
    Redraw "redraw" ["ctrl-l"] in [Everywhere] needs Nothing: "draw the whole screen again";
    Mouse "mouse" [] in [Everywhere] needs Nothing: "switch the mouse on or off";
    Suspend "suspend" ["ctrl-z"] in [Everywhere] needs Nothing: "suspend driftdeck; fg brings it back";
    Interrupt "cancel" ["ctrl-c"] in [Everywhere] needs Nothing: "cancel what runs; twice quits";
    Back "back" ["esc"] in [Everywhere] needs Nothing as "back": "back, one step at a time";
    Close "close" ["q"] in [Everywhere] needs Nothing: "close; quits from the deck";
    Help "help" ["?"] in [Everywhere] needs Nothing as "help": "the keys of where you are";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::Key;
    use std::collections::BTreeSet;

    #[test]
    fn every_command_and_every_name_is_there_once() {
        let commands: BTreeSet<_> = COMMANDS.iter().map(|e| e.command).collect();
        let names: BTreeSet<_> = COMMANDS.iter().map(|e| e.name).collect();
        assert_eq!((commands.len(), names.len()), (COMMANDS.len(), COMMANDS.len()));
        assert!(COMMANDS.iter().all(|e| e.command.entry().name == e.name));
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let mut seen = BTreeSet::new();
        for entry in COMMANDS {
            for (key, place) in entry.keys.iter().flat_map(|k| entry.places.iter().map(move |p| (k, p))) {
                assert!(Key::parse(key).is_some(), "{key} is a key");
                assert!(seen.insert((key, place)), "{key} in {place:?} means {} and more", entry.name);
            }
        }
    }

    #[test]
    fn the_key_that_applies_is_neither_enter_nor_the_one_that_plans() {
        let apply = Command::Apply.entry().keys;
        assert!(!apply.contains(&"enter"));
        let plans = COMMANDS.iter().filter(|e| e.command.acts() && e.command != Command::Apply);
        assert!(plans.flat_map(|e| e.keys).all(|key| !apply.contains(key)));
    }

    #[test]
    fn upper_case_acts_and_lower_case_looks() {
        for entry in COMMANDS {
            for key in entry.keys.iter().filter(|k| k.len() == 1) {
                let upper = key.chars().all(char::is_uppercase);
                assert!(upper == entry.command.acts() || ["G", "N"].contains(key), "{} on {key}", entry.name);
            }
        }
    }
}
