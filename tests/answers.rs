//! Who answers a request to bring an agent back: an operator, by each way there is, and nobody else by any.

use crate::crew::{add, life, pid, send, world};
use crate::curl::{ask, operator};
use crate::pit::{Daemon, is_over, until};
use crate::world::World;
use rustix::process::Signal;
use serde_json::Value;

/// The newest request of an agent.
fn request(world: &World, agent: &str) -> Option<Value> {
    let listed = world.mcell("revival list --all --json").ok().json();
    let all = listed["revivals"].as_array().unwrap().clone();
    all.into_iter().rfind(|one| one["agent_id"] == agent)
}

/// Waits until an agent waits for an operator, and gives the id of its request.
fn waits(world: &World, agent: &str) -> String {
    until(&format!("{agent} waits for an operator"), || {
        let one = request(world, agent)?;
        let waits = one["status"] == "pending_approval";
        waits.then(|| one["id"].as_str().unwrap().to_owned())
    })
}

/// A world under `ask` whose agents run, with a daemon.
fn under_ask(agents: usize) -> (World, Daemon) {
    let world = world("exec sleep 1000");
    world.mcell("policy set auto_revive=ask").ok();
    for _ in 1..agents {
        add(&world, "exec sleep 1000");
    }
    let daemon = Daemon::start(&world);
    for agent in 1..=agents {
        world.mcell(&format!("agent start agent_{agent:03}")).ok();
    }
    (world, daemon)
}

#[test]
fn what_waits_is_approved_denied_and_cancelled_by_an_operator_from_the_command_line_and_over_http()
{
    let (world, daemon) = under_ask(6);
    let bearer = operator(&world.root());
    let answers = [
        ("approve", false),
        ("deny", false),
        ("cancel", false),
        ("approve", true),
        ("deny", true),
        ("cancel", true),
    ];
    for (at, (answer, is_over_http)) in answers.into_iter().enumerate() {
        let agent = format!("agent_{:03}", at + 1);
        let before = life(&world, &agent);
        send(pid(&world, &agent), Signal::KILL);
        let id = waits(&world, &agent);
        if is_over_http {
            let url = format!("{}/revivals/{id}/{answer}", daemon.url());
            let (status, said) = ask(&url, &[("Authorization", &bearer)], Some(""));
            assert_eq!(status, 200, "{answer}: {said}");
        } else {
            world.mcell(&format!("revival {answer} {id}")).ok();
        }
        if answer == "approve" {
            until(&format!("{agent} is back"), || {
                let is_back = life(&world, &agent) > before && !is_over(pid(&world, &agent));
                is_back.then_some(())
            });
            continue;
        }
        let stands = request(&world, &agent).unwrap();
        let wanted = match answer {
            "deny" => "denied",
            _ => "cancelled",
        };
        assert_eq!(stands["status"], wanted, "{stands}");
        // It is over, and nobody says anything to it any more.
        world.mcell(&format!("revival {answer} {id}")).code(5);
        assert_eq!(life(&world, &agent), before, "{answer}");
    }
    daemon.stop();
}

/// Who tries to answer, what comes of it, and the headers of the request.
type Tried<'a> = (&'a str, u16, &'a [(&'a str, &'a str)]);

#[test]
fn no_token_of_an_agent_no_as_and_no_page_in_a_browser_answers_what_waits_for_an_operator() {
    let (world, daemon) = under_ask(2);
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    let id = waits(&world, "agent_001");
    let environment = std::fs::read(format!("/proc/{}/environ", pid(&world, "agent_002"))).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let mut variables = environment.split('\0');
    let token = variables
        .find_map(|one| one.strip_prefix("MCELL_TOKEN="))
        .unwrap();
    let agents = format!("Bearer {token}");
    let operators = operator(&world.root());
    for answer in ["approve", "deny", "cancel"] {
        let line = format!("revival {answer} {id}");
        world
            .mcell(&format!("{line} --as agent_002"))
            .code(5)
            .says("only an operator may");
        world
            .shell(&format!("MCELL_AGENT=agent_002 mcell {line}"))
            .code(5)
            .says("only an operator may");
        let url = format!("{}/revivals/{id}/{answer}", daemon.url());
        let tried: [Tried<'_>; 7] = [
            ("nobody's", 401, &[]),
            ("a wrong token", 401, &[("Authorization", "Bearer 0000")]),
            ("an agent's token", 401, &[("Authorization", &agents)]),
            ("a page", 403, &[("Origin", "http://example.org")]),
            (
                "a page that was given the token",
                403,
                &[
                    ("Origin", "http://example.org"),
                    ("Authorization", &operators),
                ],
            ),
            (
                "a page from nowhere",
                403,
                &[("Origin", "null"), ("Authorization", &operators)],
            ),
            (
                "a page whose name leads here",
                421,
                &[("Host", "example.org"), ("Authorization", &operators)],
            ),
        ];
        for (whose, wanted, headers) in tried {
            let (status, said) = ask(&url, headers, Some(""));
            assert_eq!(status, wanted, "{answer} by {whose}: {said}");
        }
        // What an agent may do over HTTP is none of it.
        let acts = world.cell();
        let acts = acts.file_name().unwrap().to_str().unwrap();
        let acts = format!("{}/cells/{acts}/acts", daemon.url());
        for op in [format!("revival {answer}"), answer.to_owned()] {
            let body = serde_json::json!({"op": op, "revival": id, "id": id}).to_string();
            let (status, said) = ask(&acts, &[("Authorization", &agents)], Some(&body));
            assert!((400..500).contains(&status), "{op}: {status} {said}");
        }
    }
    world
        .mcell("revive agent_001 --as agent_002")
        .code(5)
        .says("only an operator may");
    let stands = request(&world, "agent_001").unwrap();
    assert_eq!(stands["status"], "pending_approval", "{stands}");
    assert_eq!(life(&world, "agent_001"), before);
    daemon.stop();
}

#[test]
fn whoever_asks_for_what_is_asked_for_already_gets_that_request() {
    let (world, daemon) = under_ask(1);
    let before = life(&world, "agent_001");
    send(pid(&world, "agent_001"), Signal::KILL);
    let id = waits(&world, "agent_001");
    let again = world.mcell("revive agent_001 --no-wait --json").ok().json();
    assert_eq!(again["id"], *id, "{again}");
    until("it is back", || {
        (life(&world, "agent_001") > before).then_some(())
    });
    let listed = world.mcell("revival list --all --json").ok().json();
    assert_eq!(listed["revivals"].as_array().unwrap().len(), 1, "{listed}");
    daemon.stop();
}

#[test]
fn of_two_who_revive_one_agent_one_acts_and_the_other_waits_and_says_who() {
    // It does not end when it is asked to, so that whoever stops it is at it for a while.
    let world = world("trap '' TERM; while :; do sleep 1; done");
    let health = r#"health={"interval": 1, "timeout": 1}"#;
    world.run(["agent", "set", "agent_001", health]).ok();
    world.mcell("agent set agent_001 run.stop_timeout=3").ok();
    world.mcell("agent start agent_001").ok();
    world.mcell("heartbeat agent_001").ok();
    until("it is silent for too long", || {
        let health = world.mcell("health --json").json();
        let mut agents = health["agents"].as_object().unwrap().values();
        agents.any(|one| one["status"] == "unhealthy").then_some(())
    });
    let both = std::thread::scope(|scope| {
        let two = [(); 2].map(|()| scope.spawn(|| world.mcell("revive agent_001").ok()));
        two.map(|one| one.join().unwrap())
    });
    let waited = |said: &str| {
        said.lines().any(|line| {
            line.contains("waiting for")
                && line.contains("agent_001.act")
                && line.contains("revive")
        })
    };
    let count = both.iter().filter(|one| waited(&one.err)).count();
    assert_eq!(count, 1, "{both:?}");
    let ids: Vec<&str> = both
        .iter()
        .map(|one| one.out.rsplit_once('(').unwrap().1)
        .collect();
    assert_eq!(ids[0], ids[1], "{both:?}");
    let journal = std::fs::read_to_string(world.cell().join("logs/journal.jsonl")).unwrap();
    let starts = journal
        .lines()
        .filter(|line| line.contains("agent_001 starts"));
    assert_eq!(starts.count(), 2, "{journal}");
}
