//! A server with a certificate of a company's own, which is trusted if named and never otherwise; and a proxy.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

/// Serves one connection by TLS on `localhost`, and writes the certificate of its authority to the file.
fn serve(ca_file: &Path) -> String {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    std::fs::write(ca_file, ca_pem).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let chain = vec![CertificateDer::from(
        leaf.signed_by(&key, &issuer).unwrap().der().to_vec(),
    )];
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    std::thread::spawn(move || {
        let config = Arc::new(config);
        for stream in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::StreamOwned::new(session, stream.unwrap());
            let mut request = [0; 4096];
            // Without trust the client hangs up here.
            if matches!(tls.read(&mut request), Ok(1..)) {
                let _ = tls.write_all(&ok("{}"));
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    url
}

#[test]
fn a_certificate_of_the_company_is_trusted_where_its_file_is_named_and_only_there() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (
        folder.path().join("ours.pem"),
        folder.path().join("other.pem"),
    );
    let url = serve(&ours);
    serve(&other);
    let with = |ca_file: Option<&Path>, url: &str| {
        let options = ClientOptions {
            ca_file: ca_file.map(Into::into),
            ..client_at(url, None).options
        };
        Client::new(options, Some(AuthKey::parse(KEY).unwrap())).unwrap()
    };
    let download = with(Some(&ours), &url)
        .download(&days(1), &mut |_| ())
        .unwrap();
    assert_eq!(content(&download), "{}");
    for ca_file in [None, Some(other.as_path())] {
        let mut retries = 0;
        let result = with(ca_file, &url).download(&days(1), &mut |_| retries += 1);
        let message = result.unwrap_err().to_string();
        assert!(
            message.contains("not trusted") && message.contains("--ca-file"),
            "{message}"
        );
        assert_eq!(retries, 0, "it stays as it is, however often it is tried");
    }
    let wrong_name = url.replace("localhost", "127.0.0.1");
    let message = fail(&with(Some(&ours), &wrong_name), &days(1));
    assert!(message.contains("not trusted"), "{message}");
}
