//! A radio station with HTTPS.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io, thread};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

/// Sends the same to all, over and over.
pub(crate) struct Station {
    pub(crate) url: String,
    /// A file with its own certificate, signed by itself.
    pub(crate) certificate: PathBuf,
    _folder: TempDir,
}

impl Station {
    pub(crate) fn start(programme: Vec<u8>) -> Self {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("certificate.pem");
        fs::write(&certificate, signed.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Who does not trust the certificate hangs up.
                let _ = serve(stream.unwrap(), Arc::clone(&config), &programme);
            }
        });
        Self {
            url: format!("https://localhost:{port}/live"),
            certificate,
            _folder: folder,
        }
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, programme: &[u8]) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
    }
    let stream = stream.get_mut();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\n\r\n")?;
    stream.write_all(programme)?;
    stream.flush()
}
