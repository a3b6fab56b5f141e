//! Servers in trouble, and those that only pretend to be one.

use super::super::transfer::Bounds;
use super::*;

#[test]
fn a_refused_key_and_a_missing_one_are_told_apart() {
    for (status, body) in [
        ("401 Unauthorized", r#"{"error": "Unauthorized"}"#),
        ("403 Forbidden", r#"{"query_status":"unknown_auth_key"}"#),
        ("403 Forbidden", "<html><title>Forbidden</title></html>"),
    ] {
        let (message, tries) = fail_on(vec![answer(status, "", body)], &days(1));
        assert!(message.contains("refused the Auth-Key"), "{message}");
        assert_eq!(tries, 1);
    }
    let server = Server::start(vec![answer("401 Unauthorized", "", "")]);
    assert!(fail(&server.client(None), &recent()).contains("needs an Auth-Key"));
}

#[test]
fn server_trouble_is_retried_and_survived() {
    let page = "<html><title>502 Server Error</title>";
    let bad = || answer("502 Bad Gateway", "", page);
    let server = Server::start(vec![
        bad(),
        answer("429 Too Many Requests", "Retry-After: 0\r\n", ""),
        ok("{}"),
    ]);
    let mut retries = Vec::new();
    let result = server.client(Some(KEY)).download(&days(1), &mut |event| {
        if let Event::Retry { error, .. } = event {
            retries.push(error.to_string());
        }
    });
    assert!(result.is_ok());
    assert!(
        retries[0].contains("HTTP 502 (\"502 Server Error\")"),
        "{}",
        retries[0]
    );
    assert!(retries[1].contains("429"), "{}", retries[1]);

    let (message, tries) = fail_on((0..5).map(|_| bad()).collect(), &days(1));
    assert!(message.contains("HTTP 502") && tries == 5, "{message}");
}

#[test]
fn a_wait_longer_than_two_minutes_is_reported_instead_of_waited() {
    let busy = answer(
        "429 Too Many Requests",
        "Retry-After: 7200\r\n",
        r#"{"query_status":"ratelimited"}"#,
    );
    let (message, tries) = fail_on(vec![busy], &days(1));
    assert!(
        message.contains("ratelimited") && message.contains("7200 s"),
        "{message}"
    );
    assert_eq!(tries, 1);
}

#[test]
fn a_date_to_come_back_at_is_measured_by_the_clock_of_the_server() {
    let headers =
        "Date: Tue, 24 Nov 2099 10:00:00 GMT\r\nRetry-After: Tue, 24 Nov 2099 12:00:00 GMT\r\n";
    let busy = answer("429 Too Many Requests", headers, "");
    let (message, tries) = fail_on(vec![busy], &days(1));
    assert!(message.contains("wait 7200 s"), "{message}");
    assert_eq!(tries, 1);
}

#[test]
fn a_wrong_address_is_not_retried() {
    for (status, expected) in [
        ("404 Not Found", "404"),
        ("418 I'm a teapot", "418"),
        ("204 No Content", "204"),
    ] {
        let (message, tries) = fail_on(vec![answer(status, "", "")], &recent());
        assert!(message.contains(expected), "{message}");
        assert_eq!(tries, 1);
    }
}

#[test]
fn a_body_cut_off_is_an_error() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"query_status\"".to_vec();
    let (message, tries) = fail_on(vec![cut], &days(1));
    assert!(
        message.contains("broke off after 15 bytes") && tries == 1,
        "{message}"
    );

    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"que\r\n".to_vec();
    let (message, _) = fail_on(vec![chunked], &days(1));
    assert!(message.contains("broke off after 5 bytes"), "{message}");

    let no_gzip = answer(
        "200 OK",
        "Content-Encoding: gzip\r\n",
        "{\"query_status\":\"ok\"}",
    );
    let (message, _) = fail_on(vec![no_gzip], &days(1));
    assert!(message.contains("broke off after 0 bytes"), "{message}");
}

#[test]
fn a_silent_server_and_a_silent_body_run_into_the_time_out() {
    let silence = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{");
        std::thread::sleep(Duration::from_millis(900));
    };
    let deaf = |_: &mut TcpStream| std::thread::sleep(Duration::from_millis(900));
    for server in [
        Server::start_with(vec![silence]),
        Server::start_with(vec![deaf]),
    ] {
        let mut client = server.client(Some(KEY));
        client.options.timeout = Duration::from_millis(300);
        assert!(fail(&client, &days(1)).contains("no answer within"));
    }
}

#[test]
fn an_answer_over_the_bound_is_refused_before_it_is_read() {
    let server = Server::start(vec![ok(&"x".repeat(2000))]);
    let mut client = server.client(Some(KEY));
    client.bounds = Bounds {
        bytes: 1000,
        ..Bounds::default()
    };
    assert!(fail(&client, &days(1)).contains("larger than 1000 bytes"));
    assert_eq!(
        Bounds::default().bytes,
        536_870_912,
        "the 512 MiB of the design"
    );
}

#[test]
fn nobody_at_the_address_is_tried_five_times_and_named() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let client = client_at(&format!("http://127.0.0.1:{port}"), Some(KEY));
    let mut retries = 0;
    let error = client
        .download(&days(1), &mut |event| {
            retries += usize::from(matches!(event, Event::Retry { .. }));
        })
        .unwrap_err();
    assert_eq!(retries, 4);
    let message = error.to_string();
    assert!(
        message.contains(&port.to_string()) && message.contains("refused"),
        "{message}"
    );
}

#[test]
fn something_that_does_not_speak_http_is_an_error() {
    let (message, tries) = fail_on(vec![b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()], &days(1));
    assert!(
        message.contains("the request failed") && tries == 1,
        "{message}"
    );
}
