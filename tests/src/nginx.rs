//! Debian's nginx in front of a server, with the configuration of `contrib/nginx.conf`.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::child::Child;
use crate::server::Server;

/// A running nginx, and a client of it.
pub struct Nginx {
    _child: Child,
    _folder: TempDir,
    port: u16,
}

impl Nginx {
    /// Starts it as the example has it, but for ports and the place of the certificate, which is
    /// given in PEM.
    pub fn start(server: &Server, certificate: &str, key: &str) -> Nginx {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let port = free_port();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("there is room for a file");
            path.to_str().expect("a path is text").to_owned()
        };
        let replacements = [
            ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
            ("listen [::]:443 ssl;", String::new()),
            (&live("fullchain.pem"), write("fullchain.pem", certificate)),
            (&live("privkey.pem"), write("privkey.pem", key)),
            (
                "http://127.0.0.1:8080;",
                format!("http://127.0.0.1:{};", server.port()),
            ),
        ];
        let mut site = example();
        for (from, to) in replacements {
            assert_eq!(site.matches(from).count(), 1, "{from} in {site}");
            site = site.replace(from, &to);
        }
        write("site.conf", &site);
        write("nginx.conf", MAIN);
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-p").arg(folder.path());
        command.args(["-e", "stderr", "-c", "nginx.conf"]);
        Nginx {
            _child: Child::spawn("nginx", &mut command),
            _folder: folder,
            port,
        }
    }

    /// What curl prints with these arguments for a path, head and body.
    pub fn curl(&self, path: &str, arguments: &[&str]) -> String {
        let port = self.port;
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--include", "--insecure"])
            .args(["--resolve", &format!("{NAME}:{port}:127.0.0.1")])
            // It has just been started.
            .args(["--retry", "60", "--retry-delay", "1", "--retry-connrefused"])
            .args(arguments)
            .arg(format!("https://{NAME}:{port}{path}"))
            .output()
            .expect("curl can be started");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "curl {path}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/nginx.conf");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where certbot has a certificate.
fn live(name: &str) -> String {
    format!("/etc/letsencrypt/live/{NAME}/{name}")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

/// That of the example.
const NAME: &str = "radio.example";

/// What stands around a site, in the foreground and in a folder of its own.
const MAIN: &str = "\
daemon off;
worker_processes 1;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}
";
