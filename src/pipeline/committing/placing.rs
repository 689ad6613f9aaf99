//! Works out where a commit goes: what it builds on, which branch it lands on here, and where it is pushed.

use crate::action::commit::Sending;
use crate::git::{Before, Git, Ground as On, Kind, Obstacle, Remote, RemoteUrl, Repo, Upstream};
use crate::model::commit_plan::{Landing, Publish, To};
use crate::model::{Asked, Notice, Oid};
use tokio_util::sync::CancellationToken;

/// What a commit builds on, and where it may go.
pub struct Place {
    pub on: On,
    /// The commit that it builds on.
    pub base: Oid,
    /// The remote, where it is pushed.
    pub upstream: Option<Upstream>,
    /// The remote has commits that are not here: what is committed stays beside the branch.
    pub is_behind: bool,
    pub remarks: Vec<String>,
}

/// Finds what a commit builds on. To be pushed, the remote is asked where its branch is by now.
pub async fn place(
    repo: &Repo,
    asked: &Asked,
    publish: Publish,
    git: &Git,
    cancel: &CancellationToken,
) -> Result<Place, Box<Notice>> {
    let (of, about) = (repo.clone(), asked.clone());
    let found = tokio::task::spawn_blocking(move || {
        let on = of.ground(&about);
        let upstream = match publish {
            Publish::No => None,
            Publish::Push | Publish::PullRequest => Some(upstream(&of, on.as_ref())),
        };
        (on, upstream)
    });
    let (on, upstream) = found.await.map_err(|_| super::panicked())?;
    let on = on.ok_or_else(|| {
        Box::new(Notice::error(format!("nothing can be committed to {}: it has no commits", repo.name())))
    })?;
    let upstream = upstream.transpose()?;
    if repo.kind() == Kind::Mirror && upstream.is_none() {
        let title = format!("{} is not on this machine: a commit alone would be lost", repo.name());
        return Err(Box::new(
            Notice::error(title).hint("push it, or open a pull request: --push, --pull-request"),
        ));
    }
    let mut place = Place { base: on.base.clone(), on, upstream, is_behind: false, remarks: Vec::new() };
    let Some(upstream) = place.upstream.clone() else { return Ok(place) };
    let Some(branch) = upstream.branch.clone() else {
        let (title, hint) = match publish {
            Publish::Push => {
                ("no branch is known that it could be pushed to", "--pull-request makes a branch of its own")
            }
            Publish::PullRequest | Publish::No => (
                "no branch is known that a request could ask to be merged into",
                "git branch --set-upstream-to=origin/main",
            ),
        };
        let why = place.on.why.as_deref().unwrap_or("the branch follows none of the remote");
        return Err(Box::new(Notice::error(title).cause(why).hint(hint)));
    };
    let known: Vec<Oid> =
        [Some(place.on.base.clone()), upstream.known.clone()].into_iter().flatten().collect();
    let there = repo
        .fetch_branch(git, &upstream.remote, &branch, &known, cancel)
        .await
        .map_err(|error| Box::new(error.notice()))?;
    let Some(there) = there else {
        let title = format!("{} has no branch {branch}", upstream.remote.url);
        return Err(Box::new(Notice::error(title).hint("push the branch by hand first")));
    };
    let here = place.on.base.clone();
    let ahead = here != there && repo.follows(&here, &there);
    place.is_behind = here != there && !ahead;
    match publish {
        Publish::PullRequest => {
            place.base = there.clone();
            if ahead {
                place.remarks.push(format!("what {branch} has here and was not pushed yet is no part of it"));
            }
        }
        Publish::Push if place.is_behind => {
            place.base = there.clone();
            place.remarks.push(format!(
                "{branch} has commits at the remote that are not here: this builds on them, and {branch} here stays where it is; git pull brings both"
            ));
        }
        Publish::Push if ahead => {
            place.remarks.push(format!("what {branch} has here and was not pushed yet goes with it"));
        }
        Publish::Push | Publish::No => {}
    }
    place.upstream = Some(Upstream { known: Some(there), ..upstream });
    Ok(place)
}

/// Returns the remote that a branch goes to. A mirror has only the one that it is a copy of.
fn upstream(repo: &Repo, on: Option<&On>) -> Result<Upstream, Box<Notice>> {
    if repo.kind() != Kind::Mirror {
        let branch = on.and_then(|on| on.branch.as_deref());
        return repo.push_target(branch).map_err(|error| Box::new(error.notice()));
    }
    let url = RemoteUrl::read(repo.location()).map_err(|error| Box::new(Notice::error(error.to_string())))?;
    Ok(Upstream {
        remote: Remote { name: None, url },
        branch: on.and_then(|on| on.branch.clone()),
        known: on.map(|on| on.base.clone()),
    })
}

/// Returns where the commit lands here. A new branch is what remains where the branch itself cannot be moved.
pub fn landing(
    repo: &Repo,
    place: &Place,
    publish: Publish,
    dirty: bool,
    files: &[String],
    fresh: impl Fn() -> String,
) -> Result<Landing, Box<Notice>> {
    if publish == Publish::PullRequest {
        let branch = fresh();
        return Ok(if repo.kind() == Kind::Mirror {
            Landing::Remote { branch }
        } else {
            Landing::New { branch, why: None }
        });
    }
    let on = &place.on;
    let new = |why: Option<String>| match publish {
        Publish::Push => Err(Box::new(
            Notice::error("it cannot be committed to the branch that would be pushed")
                .cause(why.unwrap_or_default())
                .hint("--pull-request makes a branch of its own"),
        )),
        Publish::No | Publish::PullRequest => Ok(Landing::New { branch: fresh(), why }),
    };
    let Some(branch) = on.branch.clone() else { return new(on.why.clone()) };
    if repo.kind() == Kind::Mirror || place.is_behind && publish == Publish::Push {
        return Ok(Landing::Remote { branch });
    }
    if !on.is_checked_out {
        return Ok(Landing::Branch { branch });
    }
    let obstacles = repo.obstacles(files);
    let uncommitted: Vec<String> = obstacles
        .iter()
        .filter_map(|obstacle| match obstacle {
            Obstacle::Uncommitted { file } => Some(file.clone()),
            _ => None,
        })
        .collect();
    if obstacles.is_empty() || dirty && uncommitted.len() == obstacles.len() {
        return Ok(Landing::CheckedOut { branch, keeps: uncommitted });
    }
    new(obstacles.first().map(ToString::to_string))
}

/// Returns where the commit is sent.
pub fn sending(place: &Place, publish: Publish, landing: &Landing) -> Option<Sending> {
    let upstream = place.upstream.as_ref()?;
    let onto = upstream.branch.clone()?;
    let (branch, before) = match publish {
        Publish::No => return None,
        Publish::Push => (onto.clone(), upstream.known.clone().map_or(Before::Nothing, Before::Commit)),
        Publish::PullRequest => (landing.branch().to_owned(), Before::Nothing),
    };
    let onto = (publish == Publish::PullRequest).then_some(onto);
    Some(Sending { remote: upstream.remote.clone(), branch, before, onto })
}

/// Returns where it is sent, as it is shown.
pub fn shown(sending: &Sending) -> To {
    To { url: sending.remote.url.canonical(), branch: sending.branch.clone(), onto: sending.onto.clone() }
}
