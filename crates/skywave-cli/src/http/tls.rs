//! HTTPS: a certificate and its key from PEM files, read anew when they change.
//!
//! TLS 1.2 and 1.3; HTTP/2 or HTTP/1.1 as the client likes (ALPN, RFC 7301).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

/// The certificate in use. What changes in its files is in use some seconds later; what cannot be
/// read is not, and the old one stays.
pub(crate) struct Tls {
    config: watch::Receiver<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files, now and from now on.
    pub(crate) fn watch(cert: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let seen = modified(&cert, &key);
        let (sender, config) = watch::channel(Arc::new(load(&cert, &key)?));
        tokio::spawn(reload(cert, key, seen, sender));
        Ok(Self { config })
    }

    /// For one handshake.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config.borrow()).into()
    }
}

/// Looks at the files every few seconds, until nobody needs them.
async fn reload(
    cert: PathBuf,
    key: PathBuf,
    mut seen: Modified,
    sender: watch::Sender<Arc<ServerConfig>>,
) {
    let mut ticks = interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !sender.is_closed() {
        ticks.tick().await;
        // Two small files: not worth a thread of its own.
        let now = modified(&cert, &key);
        if now == seen {
            continue;
        }
        seen = now;
        match load(&cert, &key) {
            Ok(config) => {
                sender.send_replace(Arc::new(config));
                tracing::info!("the new certificate of {} is in use", cert.display());
            }
            // Perhaps one of the two is still to be written: that is seen too.
            Err(error) => tracing::warn!("{error}; the old certificate stays in use"),
        }
    }
}

/// When the files were changed last, as far as that is known.
type Modified = [Option<SystemTime>; 2];

fn modified(cert: &Path, key: &Path) -> Modified {
    [cert, key].map(|path| path.metadata().and_then(|data| data.modified()).ok())
}

/// Reads a certificate with those that lead to its root, and its key.
pub(crate) fn load(cert: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |cause| TlsError::File { path, cause }
    };
    let certs: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(unreadable(cert))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let unusable = |cause| TlsError::Unusable {
        cert: cert.to_owned(),
        key: key.to_owned(),
        cause,
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(certs, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Why there is no HTTPS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: pem::Error },
    #[error("{} and {} are of no use together: {cause}", cert.display(), key.display())]
    Unusable {
        cert: PathBuf,
        key: PathBuf,
        cause: rustls::Error,
    },
}

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A certificate and its key, in PEM.
    fn certificate() -> (String, String) {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (signed.cert.pem(), signed.signing_key.serialize_pem())
    }

    #[test]
    fn key_of_another_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        let ((text, right), (_, wrong)) = (certificate(), certificate());
        fs::write(&cert, text).unwrap();
        fs::write(&key, right).unwrap();
        assert!(load(&cert, &key).is_ok());
        fs::write(&key, wrong).unwrap();
        assert!(matches!(load(&cert, &key), Err(TlsError::Unusable { .. })));
    }

    #[test]
    fn missing_and_empty_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        let sentence = |error: TlsError| error.to_string();
        let missing = sentence(load(&cert, &key).unwrap_err());
        assert!(missing.contains("cert.pem"), "{missing}");
        fs::write(&cert, "no certificate\n").unwrap();
        fs::write(&key, certificate().1).unwrap();
        assert!(load(&cert, &key).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn changed_files_are_in_use_soon_and_broken_ones_never() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        let write = |(cert_text, key_text): (String, String), seconds| {
            fs::write(&cert, cert_text).unwrap();
            fs::write(&key, key_text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::options()
                .write(true)
                .open(&cert)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        write(certificate(), 1_000);
        let mut tls = Tls::watch(cert.clone(), key.clone()).unwrap();
        let first = Arc::clone(&tls.config.borrow_and_update());

        write(("broken".to_owned(), "broken".to_owned()), 2_000);
        tokio::time::sleep(3 * LOOK_INTERVAL).await;
        assert!(Arc::ptr_eq(&tls.config.borrow(), &first));

        write(certificate(), 3_000);
        tls.config.changed().await.unwrap();
        assert!(!Arc::ptr_eq(&tls.config.borrow(), &first));
    }
}
