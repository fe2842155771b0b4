//! Proxies: their credentials and the hosts that are reached without them.

use crate::OK;
use crate::common::{Home, Run, Server};

#[test]
fn proxy_credentials_are_masked_in_the_proxys_answer() {
    let home = Home::new();
    home.request();
    let server = Server::answering("HTTP/1.1 407 No dXNlcjpzdXBlcnNlY3JldA== supersecret\r\n\r\n");
    let proxy = format!("http://user:supersecret@{}", server.addr);
    let run = home
        .wire(&[
            "send",
            "r.json",
            "--url",
            "https://127.0.0.1:9/",
            "-x",
            &proxy,
        ])
        .exits_with(3)
        .err_contains("407 No ");
    let file = std::fs::read_to_string(home.capture()).unwrap();
    for text in [&run.err, &file] {
        assert!(
            !text.contains("supersecret") && !text.contains("dXNlcjpz"),
            "{text}"
        );
    }
}

#[test]
fn no_proxy_also_applies_to_a_proxy_from_the_command_line() {
    let home = Home::new();
    home.request();
    let case = |flags: &[&str], variables: &[(&str, &str)], code: i32| {
        let server = Server::answering(OK);
        let url = server.url();
        // No server listens on port 1: a request that goes there fails.
        let fixed = ["send", "r.json", "--url", &url, "-x", "http://127.0.0.1:1"];
        let mut command = home.command(&[&fixed, flags].concat());
        command.envs(variables.iter().copied());
        Run::from_output(command.output().unwrap()).exits_with(code);
        if code == 0 {
            assert!(!server.received().is_empty());
        }
    };
    let exempt = [("NO_PROXY", "other, 127.0.0.1")];
    case(&[], &[], 3);
    case(&[], &exempt, 0);
    case(&[], &[("no_proxy", "*")], 0);
    case(&[], &[("no_proxy", "other"), exempt[0]], 3);
    case(&[], &[("no_proxy", ""), exempt[0]], 0);
    case(&["--noproxy", "other"], &exempt, 3);
    case(&["--noproxy", ""], &exempt, 3);
    case(&["--noproxy", "127.0.0.1"], &[], 0);
}
