//! `mcell daemon config`: made, shown, checked, and never passed over.

use crate::world::World;

#[test]
fn a_config_is_made_whole_and_never_over_another() {
    let world = World::new();
    let made = world.mcell("daemon config --create -q").ok();
    let file = world.home().join(".lazarus/config.json");
    assert_eq!(made.datum(), file.display().to_string());
    world
        .mcell("daemon config --check")
        .ok()
        .prints(&format!("{} is sound\n", file.display()));
    std::fs::write(&file, "{\"timeout\": 60}").unwrap();
    world
        .mcell("daemon config --create")
        .code(5)
        .says("is there already, and stays as it is");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"timeout\": 60}");
    // As the fleet's first version was asked.
    world
        .mcell("daemon --create-config --config x.json")
        .ok()
        .shows("x.json, with the defaults");
    world
        .mcell("daemon config --check --config x.json")
        .ok()
        .shows("x.json is sound");
}

#[test]
fn each_value_is_shown_with_where_it_comes_from() {
    let world = World::new();
    world
        .shell("mkdir ~/.lazarus && echo '{\"poll_interval\": 10, \"tiemout\": 9}' > ~/.lazarus/config.json")
        .ok();
    let shown = world.mcell("daemon config").ok();
    let file = world.home().join(".lazarus/config.json");
    let line = |key: &str| {
        let line = shown.out.lines().find(|line| line.starts_with(key));
        let words: Vec<&str> = line
            .expect("a line of the key")
            .split_whitespace()
            .collect();
        words.join(" ")
    };
    let from_file = format!("poll_interval 10 {}", file.display());
    assert_eq!(line("poll_interval "), from_file);
    assert_eq!(line("timeout "), "timeout 300 default");
    assert_eq!(line("health.timeout "), "health.timeout 300 timeout");
    assert_eq!(line("gateways "), "gateways (none) default");
    let root = format!("missions_path {} MCELL_ROOT", world.root().display());
    assert_eq!(line("missions_path "), root);
    shown.says("`tiemout` means nothing to mcell");
    let json = world.mcell("daemon config --json").ok().json();
    assert_eq!(json["values"]["poll_interval"]["value"], 10);
    assert_eq!(json["values"]["log_level"]["source"], "default");
}

#[test]
fn a_check_says_everything_with_its_place_and_exits_1() {
    let world = World::new();
    let text = "{\n  \"poll_interval\": \"30\",\n  \"log_levl\": \"INFO\",\n  \"timeout\": 0\n}\n";
    std::fs::write(world.home().join("c.json"), text).unwrap();
    let checked = world
        .mcell("daemon config --check --config c.json")
        .code(1)
        .says_nothing();
    let file = world.home().join("c.json");
    let file = file.display();
    let wanted = format!(
        "\
error: `poll_interval` must be a whole number of seconds from 1 to 3600, not \"30\"
  --> {file}:2:20
    |
  2 |   \"poll_interval\": \"30\",
    |                    ^^^^
  hint: write it without quotes

warning: `log_levl` means nothing to mcell
  --> {file}:3:3
    |
  3 |   \"log_levl\": \"INFO\",
    |   ^^^^^^^^^^
  hint: is `log_level` meant?

error: `timeout` must be a whole number of seconds from 1 to 3162240000, not 0
  --> {file}:4:14
    |
  4 |   \"timeout\": 0
    |              ^

{file} has 2 errors and 1 warning
"
    );
    checked.prints(&wanted);
    let json = world
        .mcell("daemon config --check --config c.json --json")
        .code(1)
        .json();
    assert_eq!((&json["errors"], &json["warnings"]), (&2.into(), &1.into()));
    assert_eq!(json["findings"][2]["line"], 4);
}

#[test]
fn a_daemon_does_not_start_by_a_config_that_is_wrong_or_missing() {
    let world = World::new();
    world.mcell("init Example").ok();
    std::fs::write(world.home().join("c.json"), "{\"poll_interval\": -1}").unwrap();
    world
        .mcell("daemon --config c.json")
        .code(4)
        .says("c.json:1:19")
        .says("from 1 to 3600, not -1");
    for line in [
        "daemon --config no.json",
        "daemon config --config no.json",
        "daemon config --check --config no.json",
    ] {
        world
            .mcell(line)
            .code(3)
            .says("no.json, which is not there")
            .says("--create");
    }
    world
        .mcell("daemon config --check")
        .ok()
        .shows("the defaults count");
    // As the fleet's first version was asked, which did not say.
    world.mcell("daemon --status").code(1).shows("does not run");
}
