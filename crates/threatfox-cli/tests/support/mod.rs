//! A local server that stands for abuse.ch, and the program run against it as Velociraptor runs it: without an environment.
//! Whatever a run prints or writes is searched for the Auth-Key.
// Each test program uses a part; the lint on unwrap knows test functions only, not what they call.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use assert_cmd::Command;
use tempfile::TempDir;

/// The key of all tests.
pub const KEY: &str = "5ec2e7c0ffee5ec2e7c0ffee5ec2e7c0ffee";

/// Answers each request with what the function makes of it, until the test ends.
pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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

/// An export in CSV; `promised` is what its last line says.
pub fn csv_export(entries: u32, promised: u32) -> String {
    let header = "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\
        \"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"";
    let line = |n| {
        format!(
            r#""2026-03-15 04:01:14", "{n}", "202.191.67.{n}:50003", "ip:port", "botnet_cc", "win.x", "None", "X", "", "100", "False", "None", "A,B", "0", "r""#
        )
    };
    let mut lines = vec![header.to_owned()];
    lines.extend((0..entries).map(line));
    lines.push(format!("# Number of entries: {promised}"));
    lines.join("\r\n")
}

/// A folder of its own for a test, and the program in it.
pub struct Bench {
    pub folder: TempDir,
    key: bool,
}

/// What a run left.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            key: true,
        }
    }

    pub fn without_key() -> Self {
        Self {
            key: false,
            ..Self::new()
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the program with the server's addresses, and an environment that holds at most the key.
    pub fn run(&self, server: &Server, args: &[&str]) -> Ran {
        let temporary = self.path("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let mut command = Command::cargo_bin("threatfox").unwrap();
        command
            .env_clear()
            .env("TMPDIR", &temporary)
            .current_dir(self.folder.path())
            .args(args);
        for (option, path) in [
            ("--api-url", "/api/v1/"),
            ("--export-url", "/export/"),
            ("--hunting-url", "/hunting/"),
        ] {
            command.arg(option).arg(format!("{}{path}", server.url));
        }
        if self.key {
            command.env("THREATFOX_AUTH_KEY", KEY);
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(
            !ran.stdout.contains(KEY) && !ran.stderr.contains(KEY),
            "the key shows: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        assert_eq!(
            fs::read_dir(&temporary).unwrap().count(),
            0,
            "temporary files are left"
        );
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!name.starts_with(".threatfox"), "{name} is left");
            if path.is_file() && name != "key.txt" {
                let bytes = fs::read(&path).unwrap();
                let found = bytes
                    .windows(KEY.len())
                    .any(|window| window == KEY.as_bytes());
                assert!(!found, "the key is in {name}");
            }
        }
        ran
    }
}
