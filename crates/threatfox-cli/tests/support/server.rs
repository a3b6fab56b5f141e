//! A local server that stands for abuse.ch, and what abuse.ch would answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Answers each request with what the function makes of it, until the test ends.
pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer)
    }

    pub fn start_at(address: &str, answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&stream);
                let bytes = answer(&request);
                seen.lock().unwrap().push(request);
                // A program that has enough hangs up.
                let _ = stream.write_all(&bytes);
            }
        });
        Self { url, requests }
    }

    pub fn always(answer: Vec<u8>) -> Self {
        Self::start(move |_| answer.clone())
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return request;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request + std::str::from_utf8(&body).unwrap()
}

pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer("200 OK", "", body)
}

/// A record as the API writes it.
pub fn record(id: u32, ioc: &str, ioc_type: &str) -> String {
    let hash = ioc_type.ends_with("_hash");
    let threat = if hash { "payload" } else { "botnet_cc" };
    format!(
        r#"{{"id": "{id}", "ioc": "{ioc}", "threat_type": "{threat}", "threat_type_desc": "{}", "ioc_type": "{ioc_type}",
        "malware": "win.asyncrat", "malware_printable": "AsyncRAT", "malware_alias": null, "confidence_level": 100,
        "is_compromised": false, "first_seen": "2026-08-15 16:05:07 UTC", "last_seen": null, "reference": null,
        "reporter": "someone", "tags": ["a", "b"]}}"#,
        "x".repeat(300)
    )
}

pub fn api(records: &[String]) -> Vec<u8> {
    ok(format!(
        r#"{{"query_status": "ok", "data": [{}]}}"#,
        records.join(",")
    ))
}

/// The recent export as abuse.ch writes it, from a real one's shape.
pub fn recent_json() -> &'static str {
    r#"{"1856791": [{"ioc_value": "https://sup.merahsm188.top/", "ioc_type": "url", "threat_type": "botnet_cc",
        "malware": "win.vidar", "malware_alias": null, "malware_printable": "Vidar",
        "first_seen_utc": "2026-07-24 13:50:06", "last_seen_utc": null, "confidence_level": 100,
        "is_compromised": true, "reference": null, "tags": "vidar", "anonymous": 0, "reporter": "crep1x"}]}"#
}

const CSV_HEADER: &str = "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\
    \"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"";

/// An export of addresses in CSV; `promised` is what its last line says.
pub fn csv_export(entries: u32, promised: u32) -> String {
    let line = |n| {
        csv_line(
            n,
            &format!("202.191.67.{n}:50003"),
            "ip:port",
            "2026-03-15 04:01:14",
        )
    };
    csv(&(0..entries).map(line).collect::<Vec<_>>(), promised)
}

/// An export of domains in CSV: id, name, and when it was first seen.
pub fn csv_of(domains: &[(u32, &str, &str)]) -> String {
    let line = |(id, name, time): &(u32, &str, &str)| csv_line(*id, name, "domain", time);
    let lines: Vec<_> = domains.iter().map(line).collect();
    csv(&lines, u32::try_from(lines.len()).unwrap())
}

fn csv_line(id: u32, value: &str, ioc_type: &str, first_seen: &str) -> String {
    format!(
        r#""{first_seen}", "{id}", "{value}", "{ioc_type}", "botnet_cc", "win.x", "None", "X", "", "100", "False", "None", "A,B", "0", "r""#
    )
}

fn csv(lines: &[String], promised: u32) -> String {
    let trailer = format!("# Number of entries: {promised}");
    [&[CSV_HEADER.to_owned()], lines, &[trailer]]
        .concat()
        .join("\r\n")
}
