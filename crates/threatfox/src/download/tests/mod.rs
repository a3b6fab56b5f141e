//! The client against a local server that does what real ones have done, and worse. The key may show up in none of it.

mod faults;
mod requests;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use super::retry::Retries;
use super::*;

const KEY: &str = "5ec2e7c0ffee5ec2e7c0ffee";

/// Answers one connection after the other with the bytes given, then is gone. Gives the requests it got.
struct Server {
    url: String,
    requests: JoinHandle<Vec<String>>,
}

impl Server {
    fn start(answers: Vec<Vec<u8>>) -> Self {
        Self::start_with(
            answers
                .into_iter()
                .map(|answer| move |stream: &mut TcpStream| stream.write_all(&answer).unwrap_or(()))
                .collect(),
        )
    }

    fn start_with(answers: Vec<impl FnOnce(&mut TcpStream) + Send + 'static>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = std::thread::spawn(move || {
            let answer_one = |answer: Box<dyn FnOnce(&mut TcpStream)>| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&stream);
                answer(&mut stream);
                request
            };
            answers
                .into_iter()
                .map(|answer| answer_one(Box::new(answer)))
                .collect()
        });
        Self { url, requests }
    }

    fn client(&self, key: Option<&str>) -> Client {
        client_at(&self.url, key)
    }

    fn requests(self) -> Vec<String> {
        self.requests.join().unwrap()
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
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

fn client_at(base: &str, key: Option<&str>) -> Client {
    let url = |path: &str| format!("{base}{path}").parse().unwrap();
    let options = ClientOptions {
        api_url: url("/api/v1/"),
        export_url: url("/export"),
        hunting_url: url("/hunting/"),
        ca_file: None,
        timeout: Duration::from_secs(5),
        temporary_folder: None,
    };
    let key = key.map(|key| AuthKey::parse(key).unwrap());
    let mut client = Client::new(options, key).unwrap();
    client.retries = Retries {
        first_wait: Duration::from_millis(1),
        ..Retries::default()
    };
    client
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", "", body)
}

fn days(days: u32) -> Request {
    Request::Iocs(Days::new(days).unwrap())
}

fn recent() -> Request {
    Request::Export(Export {
        period: Period::Recent,
        format: Format::Json,
        only: None,
    })
}

fn content(download: &Download) -> String {
    std::fs::read_to_string(download.file.path()).unwrap()
}

/// The message of a failed download, which must not hold the key; nor must `Debug`.
fn fail(client: &Client, request: &Request) -> String {
    let error = client.download(request, &mut |_| ()).unwrap_err();
    let (message, debug) = (error.to_string(), format!("{error:?} {client:?}"));
    assert!(
        !message.contains(KEY) && !debug.contains(KEY),
        "{message} {debug}"
    );
    message
}

fn fail_on(answers: Vec<Vec<u8>>, request: &Request) -> (String, usize) {
    let server = Server::start(answers);
    let message = fail(&server.client(Some(KEY)), request);
    (message, server.requests().len())
}
