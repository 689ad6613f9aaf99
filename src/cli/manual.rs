//! `driftdeck completions` and `driftdeck man`: made from the command line's own definition.

use crate::cli::arguments::Arguments;
use crate::cli::output;
use crate::cli::{Exit, Failed, written};
use crate::model::Notice;
use crate::model::command::{COMMANDS, Place};
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

/// Prints completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<Exit, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "driftdeck", &mut script);
    print(&script)
}

/// What no option says: exit codes, files and variables, in the words of the manual.
const REST: &str = r#".SH "EXIT CODES"
.TP
\fB0\fR
Everything compared is in sync, or the action did all it planned and the verdict is in sync.
.TP
\fB1\fR
Drift; after an action: something still drifts.
.TP
\fB2\fR
It could not do what was asked: bad arguments, nothing to compare, an unreadable document, a refused plan, time-out.
.TP
\fB3\fR
No drift seen, but something could not be compared. Drift beside it: 1, or 3 with \fB\-\-strict\fR.
.TP
\fB130\fR, \fB143\fR, \fB129\fR
Ended by ctrl\-C, SIGTERM or SIGHUP.
.SH FILES
.TP
\fI$XDG_CONFIG_HOME/driftdeck/config.yaml\fR
The configuration; \fB\-\-config\fR names another. None is needed.
.TP
\fI$XDG_STATE_HOME/driftdeck/\fR
\fIjournal\fR, what was written, and below it in \fIbefore\fR what the objects were before (never Secrets, nor objects with values that look like secrets; for 30 days, 500 MB at most), for \fBundo\fR; \fIdriftdeck.log\fR; \fIseen.jsonl\fR, which deployments were seen; \fIrules.jsonl\fR, which ignore rules each repository had.
.TP
\fI$XDG_CACHE_HOME/driftdeck/\fR
Bare mirrors of remote repositories, schemas and renderings. It can be removed at any time.
.SH ENVIRONMENT
Each option can be set as \fBDRIFTDECK_...\fR too. \fBKUBECONFIG\fR, \fBNO_COLOR\fR and \fBRUST_LOG\fR mean what they mean elsewhere.
"#;

/// Prints the manual page, with a part for each command.
pub fn man() -> Result<Exit, Failed> {
    let page = page()
        .map_err(|error| Box::new(Notice::error("the manual cannot be made").cause(error.to_string())))?;
    print(&page)
}

fn page() -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let command = Arguments::command();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    page.extend(b".SH COMMANDS\n");
    for command in command.get_subcommands() {
        page.extend(part(command)?.into_bytes());
    }
    keys(&mut page)?;
    page.extend(REST.as_bytes());
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// Returns the part of one command. Its sections become paragraphs under its own heading.
fn part(command: &clap::Command) -> std::io::Result<String> {
    let named = command.clone().bin_name(format!("driftdeck {}", command.get_name()));
    let man = Man::new(named);
    let mut part = format!(".SS driftdeck {}\n", command.get_name()).into_bytes();
    man.render_synopsis_section(&mut part)?;
    man.render_description_section(&mut part)?;
    man.render_options_section(&mut part)?;
    let is_section = |line: &&str| !line.starts_with(".SH ");
    let text = String::from_utf8_lossy(&part).into_owned();
    Ok(text
        .lines()
        .map(|line| if is_section(&line) { line } else { ".PP" })
        .fold(String::new(), |text, line| text + line + "\n"))
}

/// Writes the section of the deck's keys, made of the command table.
fn keys(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut places: Vec<Place> = COMMANDS.iter().flat_map(|entry| entry.places).copied().collect();
    places.sort_unstable();
    places.dedup();
    let mut section = Roff::new();
    section.control("SH", ["KEYS OF THE DECK"]);
    for place in places {
        section.control("SS", [place.words()]);
        for entry in COMMANDS.iter().filter(|entry| entry.places.contains(&place)) {
            let keys = if entry.keys.is_empty() { ":".to_owned() } else { entry.keys.join(", ") };
            section.control("TP", []);
            section.text([bold(keys), roman("  "), italic(entry.name)]);
            section.text([roman(entry.help)]);
        }
    }
    section.to_writer(page)
}

fn print(bytes: &[u8]) -> Result<Exit, Failed> {
    written(output::text(&String::from_utf8_lossy(bytes)))?;
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_deck_is_in_the_manual_by_its_name_and_keys() {
        let page = String::from_utf8(page().unwrap()).unwrap().replace("\\-", "-").replace("\\*(Aq", "'");
        let (_, section) = page.split_once("KEYS OF THE DECK").unwrap();
        for entry in COMMANDS {
            let named = format!("\\fI{}\\fR\n{}", entry.name, entry.help);
            assert!(section.contains(&named), "{named} in\n{section}");
            for key in entry.keys {
                assert!(section.contains(key), "{key} of {} in\n{section}", entry.name);
            }
        }
    }
}
