//! The faults 12 and 13 of the fleet's first version, and what belongs to them: nothing is passed over silently.

use super::*;

// The fleet's first version, fault 12.

#[test]
fn fault_12_a_tilde_is_the_home_wherever_a_path_is() {
    let world = World::with(&[("MCELL_CONFIG", "~/mine.json")]);
    let file = create(&world.env, None).unwrap();
    assert_eq!(file, world.home.path().join("mine.json"));
    assert!(!world.env.folder().join("~").exists());
    let home = world.home.path();
    world.write(
        "mine.json",
        r#"{"missions_path": "~/missions", "templates": "~", "read_token_file": "~/token",
            "revive_command": ["~/bin/revive", "~"], "notify_command": "~/bin/notify -x",
            "gateways": {"g": {"url": "http://h", "token_file": "~/key"}},
            "webhooks": [{"url": "http://h/", "secret_file": "~/secret"}]}"#,
    );
    let config = read(&world.env, None).unwrap().config;
    assert_eq!(config.missions_path, home.join("missions"));
    assert_eq!(config.templates.as_deref(), Some(home));
    assert_eq!(config.read_token_file, Some(home.join("token")));
    let program = home.join("bin/revive").display().to_string();
    assert_eq!(config.revive_command, [program.as_str(), "~"]);
    let program = home.join("bin/notify").display().to_string();
    assert_eq!(config.notify_command, [program.as_str(), "-x"]);
    let entry = config.gateways.0["g"].as_ref().unwrap();
    assert_eq!(entry.token_file, Some(home.join("key")));
    assert_eq!(config.webhooks[0].secret, Secret::File(home.join("secret")));
    let option = read(&world.env, Some(Path::new("~/mine.json"))).unwrap();
    assert_eq!(option.config, config);
}

#[test]
fn fault_12_create_makes_the_folder_and_takes_a_bare_name() {
    let world = World::new();
    let bare = create(&world.env, Some(Path::new("x.json"))).unwrap();
    assert_eq!(bare, world.env.folder().join("x.json"));
    let deep = create(&world.env, Some(Path::new("a/b/c.json"))).unwrap();
    assert_eq!(std::fs::read_to_string(deep).unwrap(), create::usual());
    // Nothing of the making is left beside it.
    let left: Vec<_> = std::fs::read_dir(world.env.folder()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn fault_12_create_never_overwrites() {
    let world = World::new();
    world.write(".lazarus/config.json", "{\"timeout\": 7}");
    let refused = create(&world.env, None).unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    let file = world.home.path().join(".lazarus/config.json");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"timeout\": 7}");
    // Not through a link that leads nowhere either.
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("elsewhere.json", &file).unwrap();
    assert_eq!(create(&world.env, None).unwrap_err().kind(), Kind::Refused);
    assert!(!file.with_file_name("elsewhere.json").exists());
}

// Fault 13.

#[test]
fn fault_13_a_named_file_that_is_missing_is_an_error() {
    let world = World::new();
    world.write(".lazarus/config.json", "{}");
    let missing = read(&world.env, Some(Path::new("no.json"))).unwrap_err();
    assert_eq!(missing.kind(), Kind::NotFound);
    assert!(
        missing.message().starts_with("--config names "),
        "{}",
        missing.message()
    );
    let world = World::with(&[("MCELL_CONFIG", "no.json")]);
    world.write(".lazarus/config.json", "{}");
    for error in [
        read(&world.env, None).unwrap_err(),
        places(&world.env).unwrap_err(),
        check(&world.env, None).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.message().starts_with("MCELL_CONFIG names "));
    }
}

#[test]
fn fault_13_what_is_no_json_object_is_an_error_with_its_place() {
    let world = World::new();
    for (text, line, column) in [
        ("{\n  \"timeout\": 300,\n}\n", 3, 1),
        ("", 1, 1),
        ("\u{feff}{}", 1, 1),
        ("{} {}", 1, 4),
        ("[1]", 1, 1),
        ("  null", 1, 3),
        ("{\"a\": \"\n", 1, 8),
    ] {
        world.write(".lazarus/config.json", text);
        for error in [
            read(&world.env, None).unwrap_err(),
            places(&world.env).unwrap_err(),
            check(&world.env, None)
                .unwrap()
                .unwrap()
                .1
                .remove(0)
                .trouble,
        ] {
            assert_eq!(error.kind(), Kind::Malformed, "{text:?}");
            let place = error.place().unwrap();
            assert_eq!((place.line, place.column), (line, column), "{text:?}");
        }
    }
    let broken = PathBuf::from(".lazarus/config.json");
    world.write(broken.to_str().unwrap(), "{");
    assert!(remember_root(&world.env, Path::new("/m")).is_err());
}

#[test]
fn fault_13_a_wrong_type_is_an_error_with_file_line_and_column() {
    let text = "{\n  \"timeout\": 60,\n  \"poll_interval\": \"30\"\n}\n";
    let (severity, message, place, hint) = found(text).remove(0);
    assert_eq!(severity, Severity::Error);
    let wanted = "`poll_interval` must be a whole number of seconds from 1 to 3600, not \"30\"";
    assert_eq!((message.as_str(), place), (wanted, (3, 20)));
    assert_eq!(hint, "write it without quotes");
    let error = World::new().reads(text).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Malformed, wanted));
    assert!(
        error
            .place()
            .unwrap()
            .file
            .ends_with("/.lazarus/config.json")
    );
}

#[test]
fn fault_13_zero_negative_and_senseless_numbers_are_errors() {
    for value in [
        "0",
        "-1",
        "1.5",
        "1e2",
        "3601",
        "99999999999999999999",
        "null",
        "true",
        "[]",
        "{}",
    ] {
        let message = only_error(&format!("{{\"poll_interval\": {value}}}"));
        assert!(
            message.starts_with("`poll_interval` must be a whole number"),
            "{message}"
        );
    }
    assert!(only_error(r#"{"max_retries": -1}"#).contains("from 0 to 100"));
    assert!(only_error(r#"{"health": {"grace": 121}}"#).contains("from 0 to 120"));
    assert!(only_error(r#"{"health": []}"#).contains("`health` must be an object"));
    assert!(only_error(r#"{"health": null}"#).contains("`health` must be an object"));
}

#[test]
fn each_error_is_told_and_in_the_order_of_the_text() {
    let text = "{\"log_level\": \"LOUD\",\n\"timeout\": 0,\n\"auto_revive\": \"ask\"}";
    let lines: Vec<_> = found(text)
        .into_iter()
        .map(|(.., place, _)| place.0)
        .collect();
    assert_eq!(lines, [1, 2, 3]);
    let error = World::new().reads(text).unwrap_err();
    assert!(error.hints().last().unwrap().starts_with("it has 3 errors"));
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_name() {
    for (text, message, hint) in [
        (
            r#"{"pol_interval": 1}"#,
            "`pol_interval` means nothing to mcell",
            "is `poll_interval` meant?",
        ),
        (
            r#"{"helth": {}}"#,
            "`helth` means nothing to mcell",
            "is `health` meant?",
        ),
        (
            r#"{"health": {"intervall": 1}}"#,
            "`health.intervall` means nothing to mcell",
            "is `interval` meant?",
        ),
        (
            r#"{"interval": 1}"#,
            "`interval` means nothing to mcell",
            "it belongs into `health`",
        ),
        (
            r#"{"logs": {"listen": 1}}"#,
            "`logs.listen` means nothing to mcell",
            "it belongs outside of `logs`",
        ),
        (
            r#"{"\u001b[31mzzz": 1}"#,
            "`\\u{1b}[31mzzz` means nothing to mcell",
            "",
        ),
        (
            r#"{"gateways": {"g": {"url": "http://h", "tokenfile": "x"}}}"#,
            "`tokenfile` in `gateways.g` means nothing to mcell",
            "is `token_file` meant?",
        ),
    ] {
        let (said, way) = only_warning(text);
        assert_eq!((said.as_str(), way.as_str()), (message, hint), "{text}");
    }
    let reading = World::new()
        .reads(r#"{"pol_interval": 1, "timeout": 60}"#)
        .unwrap();
    assert_eq!((reading.warnings.len(), reading.config.timeout), (1, 60));
}

#[test]
fn a_key_that_stands_twice_is_an_error() {
    let message = only_error("{\"timeout\": 60, \"timeout\": 70}");
    assert_eq!(
        message,
        "`timeout` stands twice, and one of them would not count"
    );
    let inner = only_error(r#"{"logs": {"keep": 1, "keep": 1}}"#);
    assert!(inner.starts_with("`logs.keep` stands twice"));
    let gateway = only_error(r#"{"gateways": {"a": null, "a": null}}"#);
    assert!(gateway.starts_with("`gateways.a` stands twice"));
}
