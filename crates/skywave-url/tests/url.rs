//! Streams of a server that does what servers do: ends, breaks off, stalls, redirects, refuses.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use skywave_audio::AudioSource;
use skywave_url::{Error, UrlConfig, UrlEvent, UrlSource};

/// A server that answers one connection after the other. `answer` gets the number of the
/// connection and its request; when it returns, the connection is closed.
fn server(answer: impl Fn(usize, &str, &mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for number in 0.. {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut octet = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut octet).unwrap_or(0) > 0 {
                request.push(octet[0]);
            }
            answer(number, &String::from_utf8(request).unwrap(), &mut stream);
        }
    });
    url
}

fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    // Whoever asked may be gone.
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes());
    let _ = stream.write_all(body);
}

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../skywave-audio/testdata");
    std::fs::read(folder.join(name)).unwrap()
}

/// 440 Hz as AAC, some 0.58 s for each time it is repeated: 27,648 samples of 48 kHz.
fn aac(times: usize) -> Vec<u8> {
    file("mono_16k.aac").repeat(times)
}

const RADIO: &str = "200 OK\r\nContent-Type: audio/aac\r\nConnection: close";

fn config() -> UrlConfig {
    UrlConfig {
        start_buffer: Duration::from_millis(100),
        min_retry_delay: Duration::from_millis(1),
        max_retry_delay: Duration::from_millis(4),
        ..UrlConfig::default()
    }
}

/// Reads `count` samples, or what comes until the end.
fn collect(source: &mut UrlSource, count: usize) -> Vec<[f32; 2]> {
    let mut pcm = vec![[0.0; 2]; count];
    let mut filled = 0;
    while filled < count && !source.ended() {
        filled += source.read(&mut pcm[filled..]);
        thread::yield_now();
    }
    pcm.truncate(filled);
    pcm
}

fn is_loud(pcm: &[[f32; 2]]) -> bool {
    pcm.iter().any(|sample| sample[0] > 0.1)
}

fn refusal(url: &str) -> Error {
    UrlSource::open(url, config()).unwrap_err()
}

fn next_disconnection(events: &Receiver<UrlEvent>) -> String {
    loop {
        if let UrlEvent::Disconnected { reason, .. } = events.recv().unwrap() {
            return reason;
        }
    }
}

#[test]
fn stream_that_ends_is_connected_to_again() {
    let url = server(|_, _, stream| send(stream, RADIO, &aac(1)));
    let mut source = UrlSource::open(&url, config()).unwrap();
    let events = source.events();
    let pcm = collect(&mut source, 200_000);
    assert!(pcm.len() == 200_000 && is_loud(&pcm[190_000..]));
    assert!(source.control().reconnections() >= 6);
    assert_eq!(events.recv(), Ok(UrlEvent::Connected));
    assert!(next_disconnection(&events).contains("the server ended the stream"));
}

#[test]
fn connection_that_breaks_within_a_frame_is_made_again() {
    let url = server(|_, _, stream| {
        let head = format!("{RADIO}\r\nContent-Length: 1000000");
        send(stream, &head, &aac(2)[..4_000]);
    });
    let mut source = UrlSource::open(&url, config()).unwrap();
    let events = source.events();
    let pcm = collect(&mut source, 200_000);
    assert!(pcm.len() == 200_000 && is_loud(&pcm[190_000..]));
    assert!(next_disconnection(&events).starts_with(&url));
}

#[test]
fn file_that_comes_in_part_is_fetched_again() {
    for name in [
        "mono_8k.wav",
        "mono_22k05.mp3",
        "stereo_44k1.ogg",
        "live.webm",
    ] {
        let url = server(move |number, _, stream| {
            let body = file(name);
            let head = format!("200 OK\r\nContent-Length: {}", body.len());
            let missing = if number == 0 { body.len() / 4 } else { 0 };
            send(stream, &head, &body[..body.len() - missing]);
        });
        let mut source = UrlSource::start(&url, config()).unwrap();
        let events = source.events();
        assert!(next_disconnection(&events).starts_with(&url), "{name}");
        assert!(!collect(&mut source, 1_000_000).is_empty(), "{name}");
        let ended = UrlEvent::Ended { reason: None };
        assert_eq!(events.iter().last(), Some(ended), "{name}");
    }
}

#[test]
fn stream_that_stalls_is_silent_and_given_up_in_time() {
    let (hold, held) = channel::<()>();
    let url = server(move |number, _, stream| {
        send(stream, RADIO, &aac(1));
        if number == 0 {
            let _ = held.recv();
        }
    });
    let config = UrlConfig {
        stall_timeout: Duration::from_millis(100),
        ..config()
    };
    let mut source = UrlSource::open(&url, config).unwrap();
    let events = source.events();
    // The server sends nothing more: were it not given up, this would wait for ever.
    let reason = next_disconnection(&events);
    assert!(reason.to_lowercase().contains("timeout"), "{reason}");
    // What came has been decoded, and then there is silence, not a stall.
    let mut pcm = [[0.0; 2]; 48_000];
    assert!(source.read(&mut pcm) < 48_000 && !source.ended());
    drop(hold);
    assert_eq!(collect(&mut source, 40_000).len(), 40_000);
}

#[test]
fn file_ends_exactly_or_is_played_again() {
    let url = server(|_, _, stream| {
        let body = aac(2);
        let head = format!("{RADIO}\r\nContent-Length: {}", body.len());
        send(stream, &head, &body);
    });
    let mut source = UrlSource::open(&url, config()).unwrap();
    let events = source.events();
    let whole = collect(&mut source, 1_000_000).len();
    // The last block is not whole.
    assert!((54_300..=55_296).contains(&whole), "{whole}");
    assert_eq!(events.recv(), Ok(UrlEvent::Connected));
    assert_eq!(events.recv(), Ok(UrlEvent::Ended { reason: None }));
    assert!(source.control().failure().is_none());

    let repeat = UrlConfig {
        repeat: true,
        ..config()
    };
    let mut source = UrlSource::open(&url, repeat).unwrap();
    assert_eq!(collect(&mut source, 200_000).len(), 200_000);
    assert_eq!(source.control().reconnections(), 0);
}

#[test]
fn refusals_say_what_the_server_says() {
    for (head, sentence) in [
        (
            "404 Not Found",
            "the server says 404 (there is nothing at this address)",
        ),
        ("401 Unauthorized", "the server says 401 (it wants to know"),
        ("500 Oops", "the server says 500"),
    ] {
        let url = server(move |_, _, stream| send(stream, head, b""));
        let error = refusal(&url);
        assert!(matches!(error, Error::Status { .. }));
        assert!(
            error.to_string().starts_with(&format!("{url}: {sentence}")),
            "{error}"
        );
    }
}

#[test]
fn what_is_no_audio_or_no_url_is_refused() {
    let page = "<html>Welcome</html>".repeat(100);
    let url = server(move |_, _, stream| send(stream, "200 OK", page.as_bytes()));
    let error = refusal(&url);
    assert!(
        matches!(&error, Error::Audio(_)) && error.to_string().starts_with(&url),
        "{error}"
    );
    for url in ["ftp://127.0.0.1/", "radio.mp3", "http://", "http:///x", ""] {
        assert!(matches!(refusal(url), Error::Url(refused) if refused == url));
    }
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert!(matches!(
        refusal(&format!("http://{closed}/")),
        Error::Connect { .. }
    ));
}

#[test]
fn redirections_are_followed_but_not_in_circles() {
    let url = server(|_, request, stream| {
        if request.starts_with("GET /live ") {
            send(stream, RADIO, &aac(3));
        } else if request.starts_with("GET /circle ") {
            send(
                stream,
                "302 Found\r\nLocation: /circle\r\nContent-Length: 0",
                b"",
            );
        } else {
            send(
                stream,
                "301 Moved\r\nLocation: /live\r\nContent-Length: 0",
                b"",
            );
        }
    });
    let mut source = UrlSource::open(&url, config()).unwrap();
    assert!(is_loud(&collect(&mut source, 40_000)));
    assert!(matches!(
        refusal(&format!("{url}circle")),
        Error::Connect { .. }
    ));
}

#[test]
fn connection_that_the_server_closes_after_a_redirection_is_not_used_again() {
    let url = server(|_, request, stream| {
        if request.starts_with("GET /live ") {
            return send(stream, RADIO, &aac(3));
        }
        let head = "301 Moved\r\nLocation: /live\r\nContent-Length: 0";
        send(stream, head, b"");
        // The end, or the first octet of a second request, which is reset with the connection.
        let _ = stream.read(&mut [0]);
    });
    let mut source = UrlSource::open(&url, config()).unwrap();
    assert!(is_loud(&collect(&mut source, 40_000)));
}

#[test]
fn lists_are_followed_and_hls_is_refused_with_advice() {
    let url = server(|_, request, stream| {
        let host = request.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host
            .or(request.lines().find_map(|line| line.strip_prefix("Host: ")))
            .unwrap();
        let text = if request.starts_with("GET /live ") {
            return send(stream, RADIO, &aac(3));
        } else if request.starts_with("GET /radio.pls") {
            format!("[playlist]\nFile1=http://{host}/radio.m3u\n")
        } else if request.starts_with("GET /radio.m3u ") {
            format!("#EXTM3U\n#EXTINF:-1,Radio\nhttp://{host}/live\n")
        } else {
            "#EXTM3U\n#EXT-X-VERSION:3\nhttp://x/y.ts\n".to_owned()
        };
        send(stream, "200 OK\r\nConnection: close", text.as_bytes());
    });
    let mut source = UrlSource::open(&format!("{url}radio.pls?x=y"), config()).unwrap();
    assert!(is_loud(&collect(&mut source, 40_000)));
    let error = refusal(&format!("{url}hls.m3u8")).to_string();
    assert!(
        error.contains("HLS cannot be played; let ffmpeg read it"),
        "{error}"
    );
}

#[test]
fn titles_that_nobody_asked_for_are_taken_out() {
    let url = server(|_, request, stream| {
        assert!(!request.to_lowercase().contains("icy-metadata"));
        let mut body = Vec::new();
        for part in aac(4).chunks(1_000) {
            body.extend(part);
            if part.len() == 1_000 {
                body.push(2);
                body.extend(b"StreamTitle='\xff\xf1\xff\xf1\xff\xf1\xff';\0\0\0\0\0\0\0\0\0\0");
            }
        }
        send(stream, &format!("{RADIO}\r\nicy-metaint: 1000"), &body);
    });
    let mut source = UrlSource::open(&url, config()).unwrap();
    assert!(is_loud(&collect(&mut source, 100_000)));
    assert_eq!(source.control().damaged_packets(), 0);
}

#[test]
fn server_that_is_not_there_is_tried_as_often_as_wanted() {
    let url = server(|_, _, stream| send(stream, "503 Busy", b""));
    let config = UrlConfig {
        max_retries: Some(3),
        ..config()
    };
    let mut source = UrlSource::start(&url, config).unwrap();
    let control = source.control();
    let events = source.events();
    assert!(collect(&mut source, 1).is_empty());
    assert!(source.ended());
    assert!(
        control
            .failure()
            .unwrap()
            .to_string()
            .contains("503 (it is busy)")
    );
    assert_eq!(control.reconnections(), 3);
    assert!(matches!(
        events.iter().last(),
        Some(UrlEvent::Ended { reason: Some(_) })
    ));
}

#[test]
fn dropping_the_source_hangs_up() {
    let (gone, is_gone) = channel();
    let url = server(move |_, _, stream| {
        send(stream, RADIO, b"");
        while stream.write_all(&aac(1)).is_ok() {}
        gone.send(()).unwrap();
    });
    let mut source = UrlSource::open(&url, config()).unwrap();
    collect(&mut source, 100_000);
    assert!(source.control().buffered() <= config().max_buffer + Duration::from_millis(20));
    drop(source);
    is_gone.recv().unwrap();
}

#[test]
fn stream_of_broken_packets_is_counted_and_let_go() {
    let (gone, is_gone) = channel();
    let url = server(move |_, _, stream| {
        // The head of a frame, with its length (ISO/IEC 14496-3 §1.A.2.2), and nonsense in it.
        let mut frame = aac(1);
        let [a, b, c] = [frame[3], frame[4], frame[5]].map(usize::from);
        frame.truncate((a & 3) << 11 | b << 3 | c >> 5);
        frame[7..].fill(0x4f);
        send(stream, RADIO, b"");
        while stream.write_all(&frame).is_ok() {}
        gone.send(()).unwrap();
    });
    let mut source = UrlSource::start(&url, config()).unwrap();
    while source.control().damaged_packets() < 100 {
        thread::yield_now();
    }
    assert_eq!(source.read(&mut [[0.0; 2]; 960]), 0);
    drop(source);
    is_gone.recv().unwrap();
}
