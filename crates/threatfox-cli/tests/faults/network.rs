//! What comes from the network instead of an answer.

use crate::support::{Ran, Server, answer, ok, tls};
use crate::{API, Bench, FULL, RECENT, asked, faults};

fn raw(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// Asks the real address through a proxy, which must hear no more than where to.
fn through(proxy: &Server, bench: &Bench) -> Ran {
    let mut command = bench.command(&crate::args("fetch --source api"));
    command.env(
        "HTTPS_PROXY",
        proxy.url.replace("http://", "http://me:hunter2@"),
    );
    let ran = bench.finish(command);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    let requests = proxy.requests();
    assert_eq!(requests.len(), 1, "{}", ran.stderr);
    assert!(requests[0].starts_with("CONNECT threatfox-api.abuse.ch:443 HTTP/1.1"));
    assert!(!requests[0].contains(crate::support::KEY));
    ran
}

/// Asks a server with a certificate that is not to be trusted.
fn distrust(bench: &Bench, last_year: i32, ca_file: &str) -> Ran {
    let url = tls::serve(&bench.path("ca.pem"), last_year, ok("{}"));
    tls::serve(&bench.path("other.pem"), last_year, ok("{}"));
    let words = format!("fetch --source api --api-url {url} --ca-file {ca_file}");
    let ran = bench.finish(bench.command(&crate::args(&words)));
    assert!(
        !ran.stderr.contains("trying again"),
        "it stays as it is: {}",
        ran.stderr
    );
    ran
}

faults! {
    login_page => 1, ["web page (\"Sign in\")", "proxy"], |bench| {
        asked(1, bench, RECENT, ok("<!doctype html><title>Sign in</title>"))
    };
    redirect_to_another_host => 1, ["another host", "redirected to https://login.example/,"], |bench| {
        asked(1, bench, RECENT, answer("302 Found", "Location: https://login.example/?x\r\n", ""))
    };
    proxy_wants_a_password => 1, ["the proxy needs a user name and password"], |bench| {
        through(&Server::always(answer("407 Proxy Authentication Required", "", "")), bench)
    };
    proxy_refuses => 1, ["the proxy did not open a way", "login"], |bench| {
        through(&Server::always(answer("302 Found", "Location: http://login.example/\r\n", "")), bench)
    };
    no_tls => 1, ["does not speak TLS", "login page"], |bench| {
        let page = Server::always(ok("<title>Sign in</title>"));
        let url = page.url.replace("http://", "https://");
        let words = format!("fetch --source api --api-url {url}");
        let ran = bench.finish(bench.command(&crate::args(&words)));
        assert_eq!(page.requests().len(), 1, "{}", ran.stderr);
        ran
    };
    untrusted_certificate => 1, ["certificate is not trusted", "--ca-file"], |bench| {
        distrust(bench, 4000, "other.pem")
    };
    expired_certificate => 1, ["certificate is not trusted", "expired", "this machine's clock"], |bench| {
        distrust(bench, 2020, "ca.pem")
    };
    unusable_ca_file => 1, ["can't read the certificates of none.pem"], |bench| {
        asked(0, bench, "fetch --ca-file none.pem", ok("{}"))
    };
    silent_server => 1, ["no answer within 1 s"], |bench| {
        let silent = Server::start(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1500));
            Vec::new()
        });
        crate::run(bench, &silent, API)
    };
    empty_answer => 1, ["the answer is empty"], |bench| asked(1, bench, RECENT, ok(""));
    answer_cut => 1, ["broke off after 21 bytes"], |bench| {
        asked(1, bench, API, raw("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{\"query_status\": \"ok\""))
    };
    chunks_cut => 1, ["broke off after 5 bytes"], |bench| {
        asked(1, bench, API, raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"que\r\n"))
    };
    badly_packed => 1, ["broke off after 0 bytes"], |bench| {
        asked(1, bench, API, answer("200 OK", "Content-Encoding: gzip\r\n", "{}"))
    };
    unpacks_without_end => 1, ["it unpacks to more than 100 times its size"], |bench| {
        // 64 MiB in 64 KiB: of each byte that is sent, a thousand come out.
        let bomb = crate::data::gzip(&"0".repeat(64 << 20));
        assert!(bomb.len() < 128 << 10);
        asked(1, bench, API, answer("200 OK", "Content-Encoding: gzip\r\n", bomb))
    };
    no_http => 1, ["the request failed"], |bench| asked(1, bench, API, raw("SSH-2.0-OpenSSH_9.2\r\n"));
    too_large => 1, ["larger than 536870912 bytes"], |bench| {
        asked(1, bench, API, raw("HTTP/1.1 200 OK\r\nContent-Length: 536870913\r\n\r\n{"))
    };
    // The second request is for the export of those who have a key.
    address_given_up => 1, ["HTTP 404"], |bench| asked(2, bench, FULL, answer("404 Not Found", "", ""));
}

#[test]
fn the_certificate_of_the_company_is_trusted_where_it_is_named_and_for_its_own_server_only() {
    let bench = Bench::new();
    let url = tls::serve(
        &bench.path("ca.pem"),
        4000,
        ok(crate::support::recent_json()),
    );
    let ask = |url: &str| {
        let args = [
            "fetch",
            "--source",
            "recent",
            "--ca-file",
            "ca.pem",
            "--export-url",
            url,
        ];
        bench.finish(bench.command(&args))
    };
    let ran = ask(&url);
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (0, 3),
        "{}",
        ran.stderr
    );
    let ran = ask(&url.replace("localhost", "127.0.0.1"));
    assert!(
        ran.code == 1 && ran.stderr.contains("not trusted"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_host_that_has_ipv6_only_is_reached() {
    let server = Server::start_at("[::1]:0", |_| ok(crate::support::recent_json()));
    let ran = Bench::new().run(&server, &["fetch", "--source", "recent"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
