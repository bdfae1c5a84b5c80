//! What is promised about checkpoints, on a cell in a folder of its own.

use super::*;
use crate::base::error::Kind;
use crate::ops::task;
use crate::ops::world::World;

fn gift(text: &str) -> Option<Gift> {
    Some(Gift {
        name: String::from("given"),
        text: text.as_bytes().to_vec(),
    })
}

fn save_state(world: &World, agent: &AgentId, text: &str) -> Result<Saved> {
    let new = NewCheckpoint {
        state: gift(text),
        context: gift("{}"),
        artifacts: Vec::new(),
    };
    save(&world.session, &world.cell, agent, &new)
}

#[test]
fn four_saves_keep_three_and_the_agent_is_told_of_the_last() {
    let world = World::new();
    let agent = world.add_agent();
    for number in 1..=4 {
        let saved = save_state(&world, &agent, &format!("{{\"step\": {number}}}")).unwrap();
        assert_eq!(saved.generation, number);
        assert_eq!(saved.dropped, if number == 4 { vec![1] } else { vec![] });
    }
    assert_eq!(numbers(&world.cell, &agent).unwrap(), [2, 3, 4]);
    let note = world.cell.agent(&agent).unwrap().unwrap().checkpoint;
    let hash = note.and_then(|note| note.context_hash);
    assert_eq!(hash, Some(crate::store::journal::sha256(b"{}")));
    assert_eq!(
        world.text("checkpoints/agent_001/state.json"),
        "{\"step\": 4}"
    );
    let newest = newest(&world.cell, &agent).unwrap().unwrap();
    assert_eq!(newest.number, 4);
    let left = world.cell.folder().list(layout::INCOMING).unwrap();
    assert_eq!(left.unwrap_or_default(), []);
}

#[test]
fn a_broken_one_is_never_the_newest_good_one_and_is_not_restored() {
    let world = World::new();
    let agent = world.add_agent();
    save_state(&world, &agent, "{\"step\": 1}").unwrap();
    save_state(&world, &agent, "{\"step\": 2}").unwrap();
    world.write(".mcell/checkpoints/agent_001/2/state.json", "{\"step\": 3}");
    let refused = restore(&world.session, &world.cell, &agent, None).unwrap_err();
    assert!(refused.message().ends_with("state.json is altered"));
    assert!(refused.hints()[0].contains("--generation 1"));
    let pruned = prune(&world.session, &world.cell, &agent, 1).unwrap();
    assert_eq!((pruned.dropped, pruned.kept), (vec![], vec![1, 2]));
    let restored = restore(&world.session, &world.cell, &agent, Some(1)).unwrap();
    assert_eq!(restored.changed, ["state.json"]);
    assert_eq!(
        world.text("checkpoints/agent_001/state.json"),
        "{\"step\": 1}"
    );
}

#[test]
fn what_the_agent_wrote_is_saved_and_not_written_again() {
    let world = World::new();
    let agent = world.add_agent();
    let new = NewCheckpoint::default();
    let nothing = save(&world.session, &world.cell, &agent, &new).unwrap_err();
    assert_eq!(nothing.kind(), Kind::NotFound);
    world
        .cell
        .folder()
        .make_folder("checkpoints/agent_001")
        .unwrap();
    world.write("checkpoints/agent_001/state.json", "[1]");
    let wrong = save(&world.session, &world.cell, &agent, &new).unwrap_err();
    assert_eq!(wrong.kind(), Kind::Malformed);
    world.write("checkpoints/agent_001/state.json", "{}");
    let saved = save(&world.session, &world.cell, &agent, &new).unwrap();
    assert_eq!(saved.manifest.files.len(), 1);
    let note = world.cell.agent(&agent).unwrap().unwrap().checkpoint;
    assert_eq!(note.and_then(|note| note.context_hash), None);
    let files = world.journal().pop().unwrap().files;
    let files: Vec<String> = files.into_iter().map(|change| change.file).collect();
    assert_eq!(
        files,
        [".mcell/checkpoints/agent_001/1", "agents/agent_001.json"]
    );
}

#[test]
fn an_agent_saves_its_own_and_with_its_present_token_only() {
    let mut world = World::new();
    let (agent, other) = (world.add_agent(), world.add_agent());
    let task = world.add_task(None);
    world.session.agent = Some(agent.clone());
    let of_other = save_state(&world, &other, "{}").unwrap_err();
    assert_eq!(of_other.kind(), Kind::Refused);
    let claimed = task::claim(&world.session, &world.cell, &task, None).unwrap();
    let token = claimed.task.claim.unwrap().token;
    world.session.token = Some(token);
    let saved = save_state(&world, &agent, "{}").unwrap();
    assert_eq!(saved.manifest.token, Some(token));
    task::claim(&world.session, &world.cell, &task, None).unwrap();
    let kind = |world: &World| save_state(world, &agent, "{}").unwrap_err().kind();
    assert_eq!(kind(&world), Kind::Fenced);
    world.session.token = None;
    task::release(&world.session, &world.cell, &task, None).unwrap();
    world.session.token = Some(token + 1);
    assert_eq!(kind(&world), Kind::Fenced, "it holds nothing any more");
    world.session.token = None;
    save_state(&world, &agent, "{}").unwrap();
    let claim = format!("{task}:{token}");
    let world = world.with(&[("MCELL_CLAIM", claim.as_str())]);
    assert_eq!(kind(&world), Kind::Fenced, "nor the task it names");
    assert_eq!(numbers(&world.cell, &agent).unwrap(), [1, 2]);
}
