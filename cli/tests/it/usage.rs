//! Wrong usage, and what every command has in common.

use crate::{folder, run};

#[test]
fn wrong_usage_ends_with_2_and_says_what_to_do() {
    for (arguments, says) in [
        (&["chek"][..], "'check'"),
        (&["check"], "<FOLDER|--stack <STACK>|--prefix <PREFIX>>"),
        (&["check", ".", "--stack", "x"], "cannot be used with"),
        (&["check", "/nonexistent"], "the folder /nonexistent cannot be read"),
        (&["check", "--prefix", "/p"], "no AWS region: give --region"),
        (
            &["check", "--prefix", "/p", "--region", "eu-west-1", "--profile", "nobody"],
            "see the credentials, --profile",
        ),
        (&["check", "--prefix", "p", "--region", "eu-west-1"], "must begin with a slash"),
        (&["apply", ".", "--prefix", "/p", "--yes", "--dry-run"], "cannot be used with"),
        (&["replay", "--function", "f", "--again"], "--run"),
        (&["jobs"], "<--stack <STACK>|--function <FUNCTION>>"),
        (&["jobs", "run", "x"], "<--stack <STACK>|--function <FUNCTION>>"),
        (&["jobs", "run", "--stack", "s"], "<JOB>"),
        (&["tail", "--log-group", "g", "--since", "yesterday", "--region", "x"], "15m"),
        (&["sign", "/nonexistent", "--key", "/nonexistent"], "the private key /nonexistent cannot be read"),
        (&["send", "x", "--url", "x", "--key", "x", "--count", "0"], "1..=1000000"),
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn help_tells_the_exit_codes() {
    let ran = run(&["--help"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell]).out.contains("doctor"), "{shell}");
    }
}

#[test]
fn nothing_is_coloured_that_is_no_terminal() {
    assert!(!run(&["check", &folder("bad")]).out.contains('\u{1b}'));
}
