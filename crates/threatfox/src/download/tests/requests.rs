//! Requests and their answers without faults.

use std::io::Write;

use super::*;

#[test]
fn get_iocs_posts_the_question_with_the_key_in_its_header() {
    let server = Server::start(vec![ok(r#"{"query_status":"ok"}"#)]);
    let mut seen = 0;
    let download = server
        .client(Some(KEY))
        .download(&days(3), &mut |event| {
            if let Event::Progress { received, total } = event {
                assert_eq!(total, Some(21));
                seen = received;
            }
        })
        .unwrap();
    assert_eq!(content(&download), r#"{"query_status":"ok"}"#);
    assert_eq!((download.bytes, seen), (21, 21));
    assert!(
        download.source_name.ends_with("/api/v1/ (get_iocs days=3)"),
        "{}",
        download.source_name
    );
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("POST /api/v1/ HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains(&format!("auth-key: {KEY}\r\n")),
        "{request}"
    );
    assert!(
        request.contains("content-type: application/json\r\n"),
        "{request}"
    );
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, serde_json::json!({"query": "get_iocs", "days": 3}));
}

#[test]
fn exports_are_fetched_without_a_key_and_with_one_if_there_is_one() {
    let server = Server::start(vec![ok("{}"), ok("{}"), ok("{}")]);
    server
        .client(None)
        .download(&recent(), &mut |_| ())
        .unwrap();
    server
        .client(Some(KEY))
        .download(&recent(), &mut |_| ())
        .unwrap();
    server
        .client(Some(KEY))
        .download(&Request::FalsePositives, &mut |_| ())
        .unwrap();
    let requests = server.requests();
    assert!(
        requests[0].starts_with("GET /export/json/recent/ HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
    assert!(!requests[0].contains("auth-key") && requests[1].contains("auth-key"));
    assert!(requests[2].starts_with("POST /hunting/ ") && requests[2].contains("get_fplist"));
}

#[test]
fn a_question_that_needs_a_key_is_not_sent_without_one() {
    let client = client_at("http://127.0.0.1:9", None);
    for request in [
        days(1),
        Request::FalsePositives,
        Request::KeyedExport(Period::Full),
    ] {
        let message = fail(&client, &request);
        assert!(message.contains("needs an Auth-Key"), "{message}");
    }
    let clear = client_at("http://threatfox.example", Some(KEY));
    assert!(fail(&clear, &days(1)).contains("without TLS"));
}

#[test]
fn the_key_in_the_path_of_the_keyed_export_is_in_no_message() {
    let server = Server::start(vec![
        ok("PK"),
        answer(
            "401 Unauthorized",
            "",
            &format!("{{\"error\":\"{KEY} is wrong\"}}"),
        ),
        answer(
            "302 Found",
            &format!("Location: https://elsewhere.example/{KEY}/x\r\n"),
            "",
        ),
        answer("200 OK", "", "<html><title>x</title>"),
    ]);
    let client = server.client(Some(KEY));
    let request = Request::KeyedExport(Period::Full);
    let download = client.download(&request, &mut |_| ()).unwrap();
    assert!(
        download
            .source_name
            .contains("/v2/files/exports/<AUTH-KEY>/full.csv.zip")
    );
    assert!(fail(&client, &request).contains("<AUTH-KEY> is wrong"));
    assert!(fail(&client, &request).contains("https://elsewhere.example/<AUTH-KEY>/x"));
    assert!(fail(&client, &request).contains("web page"));
    assert!(
        server.requests()[0].starts_with(&format!("GET /v2/files/exports/{KEY}/full.csv.zip "))
    );
}

#[test]
fn redirects_are_followed_on_the_same_server_only() {
    let server = Server::start(vec![
        answer("301 Moved", "Location: /elsewhere/\r\n", ""),
        ok("{}"),
    ]);
    server
        .client(Some(KEY))
        .download(&recent(), &mut |_| ())
        .unwrap();
    assert!(server.requests()[1].starts_with("GET /elsewhere/ "));

    let away = answer(
        "302 Found",
        "Location: https://login.proxy.example/?back=1\r\n",
        "",
    );
    let (message, _) = fail_on(vec![away], &recent());
    assert!(
        message.contains("https://login.proxy.example/,"),
        "{message}"
    );

    let circle = || answer("302 Found", "Location: /export/json/recent/\r\n", "");
    let (message, tries) = fail_on((0..6).map(|_| circle()).collect(), &recent());
    assert!(
        message.contains("too many redirects") && tries == 6,
        "{message}"
    );
}

#[test]
fn a_body_packed_for_the_journey_arrives_unpacked_and_a_cut_one_is_an_error() {
    let text = "{}".repeat(100_000);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let send = |body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let server = Server::start(vec![send(&packed), send(&packed[..packed.len() - 9])]);
    let client = server.client(None);
    assert_eq!(
        content(&client.download(&recent(), &mut |_| ()).unwrap()),
        text
    );
    assert!(fail(&client, &recent()).contains("broke off"));
}

#[test]
fn an_unchanged_document_is_not_sent_again() {
    let tagged = answer(
        "200 OK",
        "ETag: \"v1\"\r\nLast-Modified: Tue, 24 Nov 2026 10:00:00 GMT\r\n",
        "{}",
    );
    let server = Server::start(vec![
        tagged,
        b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_vec(),
    ]);
    let client = server.client(None);
    let known = client.download(&recent(), &mut |_| ()).unwrap().validators;
    let again = client
        .download_if_changed(&recent(), &known, &mut |_| ())
        .unwrap();
    assert!(again.is_none());
    let request = &server.requests()[1];
    assert!(request.contains("if-none-match: \"v1\"\r\n"), "{request}");
    assert!(
        request.contains("if-modified-since: Tue, 24 Nov 2026 10:00:00 GMT\r\n"),
        "{request}"
    );
}

#[test]
fn a_file_that_holds_no_certificate_is_named() {
    let file = NamedTempFile::new().unwrap();
    let options = |path: &str| ClientOptions {
        ca_file: Some(path.into()),
        ..client_at("http://127.0.0.1:9", None).options
    };
    let empty = Client::new(options(&file.path().to_string_lossy()), None).unwrap_err();
    assert!(
        empty.to_string().contains("it holds no certificate"),
        "{empty}"
    );
    let missing = Client::new(options("/nonexistent.pem"), None).unwrap_err();
    assert!(
        missing.to_string().contains("/nonexistent.pem"),
        "{missing}"
    );
}
