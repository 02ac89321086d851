//! Programs and libraries that a chore needs, and the Debian packages that bring them.

use std::path::Path;

use crate::failure::Failure;
use crate::pion;
use crate::runner::{Runner, succeeds};

/// Something a chore needs from the system.
pub(crate) struct Requirement {
    name: &'static str,
    debian_package: &'static str,
    is_met: fn() -> bool,
}

/// Installs the packages of the requirements that are not met, and no others.
pub(crate) fn install_missing(
    runner: &Runner,
    requirements: &[&[Requirement]],
) -> Result<(), Failure> {
    let missing = self::missing(requirements);
    if missing.is_empty() {
        return Ok(());
    }
    let names = listed(&missing, |requirement| requirement.name, ", ");
    let packages = listed(&missing, |requirement| requirement.debian_package, " ");
    runner.say(&format!("missing: {names}"));
    let failure = |why: &str| {
        let how = "On Debian 12 these packages have what is missing";
        Failure::new(format!("{why}. {how}: {packages}"))
    };
    if !succeeds("apt-get", &["--version"]) {
        return Err(failure("there is no apt-get to install it with"));
    }
    if !is_root() && !has_program("sudo") {
        return Err(failure("it takes root or sudo to install it"));
    }
    let install = "install --quiet --yes --no-install-recommends ".to_owned() + &packages;
    for arguments in ["update --quiet", &install] {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        apt_get(runner, &arguments)?;
    }
    match self::missing(requirements).first() {
        None => Ok(()),
        Some(still) => Err(Failure::new(format!(
            "{} is missing although {} is installed",
            still.name, still.debian_package
        ))),
    }
}

/// A part of each, with something in between.
fn listed(
    requirements: &[&Requirement],
    part: fn(&Requirement) -> &'static str,
    between: &str,
) -> String {
    let parts: Vec<&str> = requirements.iter().map(|one| part(one)).collect();
    parts.join(between)
}

fn missing<'a>(requirements: &[&'a [Requirement]]) -> Vec<&'a Requirement> {
    requirements
        .iter()
        .copied()
        .flatten()
        .filter(|requirement| !(requirement.is_met)())
        .collect()
}

/// As root, or through sudo for anybody else.
fn apt_get(runner: &Runner, arguments: &[&str]) -> Result<(), Failure> {
    let program = if is_root() { "env" } else { "sudo" };
    let quietly = ["DEBIAN_FRONTEND=noninteractive", "apt-get"];
    runner.run(program, &[&quietly, arguments].concat())
}

fn is_root() -> bool {
    succeeds("sh", &["-c", "test $(id -u) = 0"])
}

fn has_gstreamer_plugin(name: &str) -> bool {
    let script = format!("ls /usr/lib/*/gstreamer-1.0/libgst{name}.so");
    succeeds("sh", &["-c", &script])
}

fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// What the tests need.
pub(crate) const TESTS: [Requirement; 20] = [
    Requirement {
        name: "Chromium",
        debian_package: "chromium",
        is_met: || has_program("chromium") || has_program("google-chrome"),
    },
    Requirement {
        name: "chromedriver",
        debian_package: "chromium-driver",
        is_met: || has_program("chromedriver"),
    },
    Requirement {
        name: "Firefox",
        debian_package: "firefox-esr",
        is_met: || has_program("firefox-esr") || has_program("firefox"),
    },
    Requirement {
        name: "pkg-config",
        debian_package: "pkg-config",
        is_met: || has_program("pkg-config"),
    },
    Requirement {
        name: "libopus with its headers",
        debian_package: "libopus-dev",
        is_met: || succeeds("pkg-config", &["--exists", "opus"]),
    },
    Requirement {
        name: "libasound with its headers, for the feature microphone",
        debian_package: "libasound2-dev",
        is_met: || succeeds("pkg-config", &["--exists", "alsa"]),
    },
    Requirement {
        name: "a C++ compiler, for libFuzzer",
        debian_package: "g++",
        is_met: || has_program("c++"),
    },
    Requirement {
        name: "Python 3.11 with venv",
        debian_package: "python3-venv",
        // Debian splits off ensurepip, without which a new venv has no pip.
        is_met: || {
            let script = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";
            succeeds("python3", &["-c", script])
        },
    },
    Requirement {
        name: "curl",
        debian_package: "curl",
        is_met: || has_program("curl"),
    },
    Requirement {
        name: "ip, for networks to be cut",
        debian_package: "iproute2",
        is_met: || has_program("ip"),
    },
    Requirement {
        name: "nginx",
        debian_package: "nginx-light",
        is_met: || Path::new("/usr/sbin/nginx").exists(),
    },
    Requirement {
        name: "kill",
        debian_package: "procps",
        is_met: || has_program("kill"),
    },
    Requirement {
        name: "webrtcbin of GStreamer",
        debian_package: "gstreamer1.0-plugins-bad",
        is_met: || has_gstreamer_plugin("webrtc"),
    },
    Requirement {
        name: "RTP of GStreamer",
        debian_package: "gstreamer1.0-plugins-good",
        is_met: || has_gstreamer_plugin("rtp"),
    },
    Requirement {
        name: "Opus of GStreamer",
        debian_package: "gstreamer1.0-plugins-base",
        is_met: || has_gstreamer_plugin("opus"),
    },
    Requirement {
        name: "ICE of GStreamer",
        debian_package: "gstreamer1.0-nice",
        is_met: || has_gstreamer_plugin("nice"),
    },
    Requirement {
        name: "PyGObject",
        debian_package: "python3-gi",
        is_met: || succeeds("/usr/bin/python3", &["-c", "import gi"]),
    },
    Requirement {
        name: "webrtcbin for PyGObject",
        debian_package: "gir1.2-gst-plugins-bad-1.0",
        is_met: || {
            let script = "ls /usr/lib/*/girepository-1.0/GstWebRTC-1.0.typelib";
            succeeds("sh", &["-c", script])
        },
    },
    Requirement {
        name: "Go",
        debian_package: "golang-go",
        is_met: || pion::is_named() || has_program("go"),
    },
    Requirement {
        name: "Pion",
        debian_package: "golang-github-pion-webrtc.v3-dev",
        is_met: || pion::is_named() || Path::new(pion::SOURCE).is_dir(),
    },
];

/// What the other implementations in the benches need to compile: libsrtp is C, its bindings are
/// made by libclang, its ciphers are OpenSSL's.
pub(crate) const PEERS: [Requirement; 5] = [
    Requirement {
        name: "a C compiler",
        debian_package: "gcc",
        is_met: || has_program("cc"),
    },
    Requirement {
        name: "make",
        debian_package: "make",
        is_met: || has_program("make"),
    },
    Requirement {
        name: "pkg-config",
        debian_package: "pkg-config",
        is_met: || has_program("pkg-config"),
    },
    Requirement {
        name: "OpenSSL 3 with its headers",
        debian_package: "libssl-dev",
        is_met: || succeeds("pkg-config", &["--exists", "openssl >= 3"]),
    },
    Requirement {
        name: "libclang with its headers",
        debian_package: "libclang-dev",
        // Both files, or wherever the variable says.
        is_met: || {
            let library = "/usr/lib/llvm-*/lib/libclang.so.1";
            let header = "/usr/lib/llvm-*/lib/clang/*/include/stddef.h";
            let script = format!("test -n \"$LIBCLANG_PATH\" || ls {library} {header}");
            succeeds("sh", &["-c", &script])
        },
    },
];

/// What counts instructions.
pub(crate) const INSTRUCTIONS: [Requirement; 1] = [Requirement {
    name: "valgrind",
    debian_package: "valgrind",
    is_met: || has_program("valgrind"),
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_named_with_its_package() {
        let missing = [&INSTRUCTIONS[0], &PEERS[0]];
        assert_eq!(
            listed(&missing, |one| one.name, ", "),
            "valgrind, a C compiler"
        );
        assert_eq!(
            listed(&missing, |one| one.debian_package, " "),
            "valgrind gcc"
        );
    }

    #[test]
    fn programs_are_found_on_the_path_only() {
        assert!(has_program("sh"));
        assert!(!has_program("skywave-no-such"));
    }
}
