//! What each value may be, and what it then means.

use super::*;

#[test]
fn yes_and_no_are_read_as_true_and_false() {
    let world = World::new();
    for (text, wanted) in [
        ("true", true),
        ("false", false),
        ("\"yes\"", true),
        ("\"no\"", false),
    ] {
        let config = world.config(&format!("{{\"auto_revive\": {text}}}"));
        assert_eq!(config.auto_revive, wanted);
    }
    let found = found(r#"{"auto_revive": "ask"}"#);
    assert!(found[0].3.starts_with("false asks"), "{found:?}");
}

#[test]
fn a_level_is_read_in_any_case() {
    let world = World::new();
    assert_eq!(
        world.config(r#"{"log_level": "Debug"}"#).log_level,
        LogLevel::Debug
    );
    let found = found(r#"{"log_level": "WARN"}"#);
    assert_eq!(found.len(), 1);
}

#[test]
fn both_forms_of_gateways_are_read() {
    let world = World::new();
    let fleet = world
        .config(r#"{"gateways": ["gateway_1", "gateway_2"]}"#)
        .gateways;
    assert!(fleet.0.len() == 2 && fleet.0.values().all(Option::is_none));
    let ours = world.config(
        r#"{"gateways": {"a": {"url": "http://h:1/x/", "health_path": "/up", "token_file": "/k", "profile": "coder"},
            "b": {"url": "[::1]:8", "health_path": null}, "c": null, "d": "unix:/run/d.sock"}}"#,
    );
    let entry = |name: &str| ours.gateways.0[name].clone();
    let a = entry("a").unwrap();
    assert_eq!(a.address, Address::Url(String::from("http://h:1/x")));
    assert_eq!(
        (a.health_path.as_deref(), a.profile.as_deref()),
        (Some("/up"), Some("coder"))
    );
    assert_eq!(entry("b").unwrap().target().path, "/health");
    assert_eq!(entry("c"), None);
    assert_eq!(
        entry("d").unwrap().address,
        Address::Socket("/run/d.sock".into())
    );
    for (text, why) in [
        (
            r#""gateway_1""#,
            "`gateways` must be a list of names, or an object of them",
        ),
        (
            r#"["http://h"]"#,
            "`http://h` is no name that an agent can give",
        ),
        (r#"[3]"#, "item 1 of `gateways` must be a name in quotes"),
        (r#"{"a": {}}"#, "`gateways.a` has no \"url\""),
        (
            r#"{"a": 8}"#,
            "`gateways.a` must be an object with a \"url\", not 8",
        ),
        (
            r#"{"a": {"url": "ws://h"}}"#,
            "`gateways.a` cannot be asked: its scheme is ws",
        ),
        (
            r#"{"a": {"url": "http://u:p@h"}}"#,
            "`gateways.a` cannot be asked: it names a user",
        ),
        (
            r#"{"a": {"url": "http://h", "health_path": "up"}}"#,
            "`gateways.a` health_path must be a path",
        ),
        (
            r#"{"a": {"url": "http://h", "health_path": "/a b"}}"#,
            "`gateways.a` health_path must be a path",
        ),
        (
            r#"{"a": {"url": "http://h", "token_file": 1}}"#,
            "`gateways.a` token_file must be a path in quotes",
        ),
    ] {
        let message = only_error(&format!("{{\"gateways\": {text}}}"));
        assert!(message.starts_with(why), "{message}");
    }
}

#[test]
fn it_listens_where_only_this_machine_asks_unless_there_is_a_token() {
    let world = World::new();
    let listen = |text: &str| world.config(&format!("{{\"listen\": {text}}}")).listen;
    assert_eq!(listen("\"localhost:0\""), ["127.0.0.1:0".parse().unwrap()]);
    assert_eq!(listen(r#"["127.0.0.1:1", "[::1]:1"]"#).len(), 2);
    assert_eq!(listen("[]"), []);
    for open in [
        "\"0.0.0.0:8080\"",
        "\"192.0.2.1:80\"",
        "[\"127.0.0.1:1\", \"[::]:1\"]",
    ] {
        let message = only_error(&format!("{{\"listen\": {open}}}"));
        assert!(message.contains("without a token"), "{message}");
        let text = format!("{{\"listen\": {open}, \"read_token_file\": \"/t\"}}");
        assert!(is_open(&world.config(&text).listen));
    }
    for wrong in [
        "8080",
        "\"8080\"",
        "\":8080\"",
        "\"host:80\"",
        "\"unix:/x\"",
        "\"http://127.0.0.1:80\"",
        "\"127.0.0.1\"",
        "\"127.0.0.1:70000\"",
        "[8080]",
        "\"\"",
    ] {
        only_error(&format!("{{\"listen\": {wrong}}}"));
    }
}

#[test]
fn a_command_is_a_program_and_words_and_no_shell_reads_it() {
    let world = World::new();
    let command = |text: &str| {
        world
            .config(&format!("{{\"notify_command\": {text}}}"))
            .notify_command
    };
    assert_eq!(
        command("\"mail -s mcell ops\""),
        ["mail", "-s", "mcell", "ops"]
    );
    assert_eq!(command(r#"["sh", "-c", "a | b"]"#), ["sh", "-c", "a | b"]);
    assert!(command("null").is_empty());
    let near = world.env.folder().join("./tell").display().to_string();
    assert_eq!(command("\"./tell\""), [near]);
    for wrong in [
        "\"a | b\"",
        "\"a > b\"",
        "\"echo $X\"",
        "\"a 'b c'\"",
        "\"\"",
        "[]",
        "[\"\"]",
        "[1]",
        "{}",
        "true",
    ] {
        only_error(&format!("{{\"notify_command\": {wrong}}}"));
    }
}

#[test]
fn webhooks_are_signed_and_their_secrets_are_not_shown() {
    let world = World::new();
    let text = r#"{"webhooks": [{"url": "https://h/x?y", "secret": "hush", "events": ["agent.*", "hold.begun"]}]}"#;
    let config = world.config(text);
    assert_eq!(config.webhooks[0].events, ["agent.*", "hold.begun"]);
    assert!(!format!("{config:?}").contains("hush"));
    let session = Session::quiet(world.env);
    let (effective, _) = effective(&session, None).unwrap();
    assert!(!serde_json::to_string(&effective).unwrap().contains("hush"));
    for (hook, why) in [
        ("1", "item 1 of `webhooks` must be an object"),
        ("{}", "item 1 of `webhooks` has no \"url\""),
        (
            r#"{"url": "http://h/"}"#,
            "item 1 of `webhooks` has no \"secret_file\"",
        ),
        (
            r#"{"url": "h:1", "secret": "s"}"#,
            "the url of item 1 of `webhooks` cannot be called",
        ),
        (
            r#"{"url": "http://h/", "secret": 4711}"#,
            "the secret of item 1 of `webhooks` must be a text",
        ),
        (
            r#"{"url": "http://h/", "secret": "s", "secret_file": "/s"}"#,
            "item 1 of `webhooks` has a \"secret\" and",
        ),
        (
            r#"{"url": "http://h/", "secret": "s", "events": "*"}"#,
            "the events of item 1 of `webhooks` must be a list",
        ),
    ] {
        let message = only_error(&format!("{{\"webhooks\": [{hook}]}}"));
        assert!(message.starts_with(why), "{message}");
    }
    let unknown =
        r#"{"webhooks": [{"url": "http://h/", "secret": "s", "events": ["agent.unhealty"]}]}"#;
    assert_eq!(only_warning(unknown).1, "is `agent.unhealthy` meant?");
}

#[test]
fn sizes_signals_hosts_and_users_are_read() {
    let world = World::new();
    let config = world.config(
        r#"{"logs": {"max_size": "512KiB", "keep": 0}, "hosts": ["Fleet.Example.org", "192.0.2.1"],
            "health": {"expect": ["probe", "heartbeat"]}, "allow_users": ["hermes"], "host": "left"}"#,
    );
    assert_eq!(
        config.logs,
        Logs {
            max_size: 512 << 10,
            keep: 0
        }
    );
    assert_eq!(config.hosts, ["fleet.example.org", "192.0.2.1"]);
    assert_eq!(config.health.expect, [Signal::Probe, Signal::Heartbeat]);
    assert_eq!(
        (config.allow_users.len(), config.host.as_deref()),
        (1, Some("left"))
    );
    assert_eq!(
        world
            .config(r#"{"logs": {"max_size": 4096}}"#)
            .logs
            .max_size,
        4096
    );
    for wrong in [
        r#"{"logs": {"max_size": "large"}}"#,
        r#"{"logs": {"max_size": 0}}"#,
        r#"{"hosts": ["a:80"]}"#,
        r#"{"health": {"expect": ["pulse"]}}"#,
        r#"{"allow_users": ["a b"]}"#,
        r#"{"host": ""}"#,
        r#"{"missions_path": null}"#,
        r#"{"missions_path": "a\u0000b"}"#,
    ] {
        only_error(wrong);
    }
}

#[test]
fn nobody_is_dead_before_a_beat_is_due() {
    for text in [
        r#"{"timeout": 10}"#,
        r#"{"health": {"timeout": 10}}"#,
        r#"{"health": {"interval": 301}}"#,
    ] {
        assert!(
            only_error(text).starts_with("agents would be dead after"),
            "{text}"
        );
    }
    World::new().config(r#"{"timeout": 10, "health": {"interval": 10}}"#);
    World::new().config(r#"{"timeout": 10, "health": {"timeout": 60}}"#);
}

#[test]
fn agents_are_watched_as_the_config_says_where_they_do_not() {
    assert_eq!(Config::default().usual(), Settings::default());
    let config = World::new().config(
        r#"{"timeout": 100, "health": {"expect": ["probe"], "grace": 60, "output_timeout": 9}}"#,
    );
    let usual = config.usual();
    assert_eq!((usual.timeout, usual.grace), (100, 60));
    assert_eq!(
        (usual.expect, usual.output_timeout),
        (vec![Signal::Probe], Some(9))
    );
}

#[test]
fn short_commands_stumble_over_nothing_but_what_they_need() {
    let world = World::new();
    world.write(
        ".lazarus/config.json",
        r#"{"missions_path": "~/m", "timeout": "x", "webhooks": 7, "host": "left"}"#,
    );
    let places = places(&world.env).unwrap();
    assert_eq!(places.missions_path, Some(world.home.path().join("m")));
    assert_eq!(places.host.as_deref(), Some("left"));
    world.write(".lazarus/config.json", r#"{"missions_path": 3}"#);
    assert_eq!(
        super::places(&world.env).unwrap_err().kind(),
        Kind::Malformed
    );
    let whole = world
        .reads(r#"{"missions_path": "/m", "templates": "/t"}"#)
        .unwrap();
    assert_eq!(whole.places(), super::places(&world.env).unwrap());
    // What create wrote says nothing new about templates and the host.
    std::fs::remove_file(world.home.path().join(".lazarus/config.json")).unwrap();
    create(&world.env, None).unwrap();
    let places = super::places(&world.env).unwrap();
    assert_eq!((places.templates, places.host), (None, None));
}

#[test]
fn a_config_that_everybody_may_write_is_a_warning() {
    let world = World::new();
    let file = world.write(".lazarus/config.json", "{}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let reading = read(&world.env, None).unwrap();
    assert!(reading.warnings[0].trouble.hints()[0].starts_with("chmod o-w "));
}

#[test]
fn each_value_has_its_source() {
    let world = World::with(&[("MCELL_HOST", "right")]);
    let file = world.write(
        ".lazarus/config.json",
        r#"{"poll_interval": 9, "timeout": 90, "host": "left"}"#,
    );
    let mut session = Session::quiet(world.env);
    session.root = Some(PathBuf::from("/r"));
    let (effective, _) = effective(&session, None).unwrap();
    let of = |key: &str| {
        let (_, stated) = effective
            .values
            .iter()
            .find(|(name, _)| *name == key)
            .unwrap();
        (stated.value.to_string(), stated.source.clone())
    };
    let file = file.display().to_string();
    assert_eq!(of("poll_interval"), (String::from("9"), file));
    assert_eq!(
        of("missions_path"),
        (String::from("\"/r\""), String::from("--root"))
    );
    assert_eq!(
        of("host"),
        (String::from("\"right\""), String::from("MCELL_HOST"))
    );
    assert_eq!(
        of("health.timeout"),
        (String::from("90"), String::from("timeout"))
    );
    assert_eq!(
        of("log_level"),
        (String::from("\"INFO\""), String::from("default"))
    );
}
