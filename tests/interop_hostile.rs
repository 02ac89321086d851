//! A whole server in a bad world: floods, cut networks, lossy links, peers that die, full disks.
//! Each test says what was lost.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use skywave_tests::{
    Audience, Flood, Heard, Namespace, RoughLink, Roughness, Server, overflowed, unlooked_at,
};

const CHECK: &[u8] = include_bytes!("../crates/skywave-ice/tests/data/chromium-156-nomination.bin");
const HELLO: [&[u8]; 2] = [
    include_bytes!("../crates/skywave-dtls/testdata/chromium-client-hello-1.bin"),
    include_bytes!("../crates/skywave-dtls/testdata/openssl-client-hello.bin"),
];
/// An empty receiver report with the octets of a tag behind it.
const RTCP: &[u8] = &[
    0x80, 201, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
];

/// Hostile datagrams a second.
const FLOOD_RATE: u32 = 100_000;
/// Of those in four seconds: on two cores that everybody shares, fewer are made, and some unread.
const READ_AT_LEAST: u64 = 40_000;
/// Frames that are made and not sent yet: a server that is later leaves some out, and says so.
const ON_THEIR_WAY: u64 = 10;
const SECOND: Duration = Duration::from_secs(1);
/// For what ends by itself, beyond its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who gets the cores when does not matter here: the kernel, the server and the listeners count. The
/// sockets of both have room for seconds of audio, so what is missing was not sent; frames that were
/// not made, as the encoder got no core, are not missing.
#[test]
fn flood_of_hostile_datagrams_costs_two_hundred_listeners_nothing() {
    let server = Server::start_with("tone:440", &["--udp", "127.0.0.1:0"]);
    let audience = Audience::start(&server.endpoint(), 200, 8 * SECOND, None, None);
    wait_for(&server, 200);
    let before = Count::of(&server);
    let genuine = [CHECK, HELLO[0], HELLO[1], RTCP];
    let flood = Flood::start(server.media(), FLOOD_RATE, &genuine);
    thread::sleep(4 * SECOND);
    let (sent, rate) = flood.end();
    let after = Count::of_all_that_came(&server, &before, sent);
    let heard = audience.report(PATIENCE);
    let [taken, unread] = [after.dropped - before.dropped, after.unread - before.unread];
    let unlooked_at = unlooked_at() - before.unlooked_at;
    println!("flood: {sent} datagrams, {rate:.0} of {FLOOD_RATE} a second");
    println!("{taken} taken and dropped, {unread} unread, {unlooked_at} not even looked at");
    println!("{heard:?}");

    // What is unread may be of listeners too, who are no strangers otherwise.
    assert!(taken <= sent, "each datagram is counted once");
    // Nothing where the kernel got to all packets: then this is zero.
    assert!(sent.saturating_sub(taken + unread) + heard.lost <= unlooked_at);
    assert!(taken >= READ_AT_LEAST, "a flood that is not read is none");
    assert_eq!(after.refused, before.refused, "by the kernel");
    assert_eq!(after.unheard, 0, "the listeners' own sockets overflowed");
    after.assert_each_was_sent_every_frame_since(&before);
    assert_eq!((heard.joined, heard.failed), (200, 0));
    assert_eq!(heard.unauthentic, 0);
}

/// What the server and the kernel have counted.
struct Count {
    /// Datagrams that the server read and did not use.
    dropped: u64,
    /// Datagrams to the media port, and to its listeners, for which there was no room.
    unread: u64,
    unheard: u64,
    /// Packets of this host that were lost on the way.
    unlooked_at: u64,
    /// Packets that the kernel did not take.
    refused: u64,
    /// Frames made before and after the packets were counted: it takes a while.
    frames: [u64; 2],
    /// Packets sent to each listener, by its id.
    packets: HashMap<String, u64>,
}

impl Count {
    fn of(server: &Server) -> Self {
        let stats = server.stats();
        let number = |value: &Value| value.as_u64().expect("a counter");
        let frames = |stats: &Value| number(&stats["channels"][0]["track"]["frames"]);
        let drops = stats["engine"]["dropped"].as_object().expect("counters");
        let listeners = stats["listeners"].as_array().expect("a list").iter();
        let packets = listeners.map(|one| {
            let id = one["id"].as_str().expect("an id").to_owned();
            (id, number(&one["packetsSent"]))
        });
        Self {
            dropped: drops.values().map(number).sum(),
            unread: overflowed(|socket| socket.local == server.media()),
            unheard: overflowed(|socket| socket.remote == server.media()),
            unlooked_at: unlooked_at(),
            refused: number(&stats["engine"]["sendsRefused"]),
            packets: packets.collect(),
            frames: [frames(&stats), frames(&server.stats())],
        }
    }

    /// Once all that was sent is read or lost, or no more of it comes.
    fn of_all_that_came(server: &Server, before: &Self, sent: u64) -> Self {
        let came = |count: &Self| count.dropped + count.unread + count.unlooked_at;
        let mut last = Self::of(server);
        loop {
            thread::sleep(Duration::from_millis(100));
            let count = Self::of(server);
            if came(&count) - came(before) >= sent || came(&count) == came(&last) {
                return count;
            }
            last = count;
        }
    }

    fn assert_each_was_sent_every_frame_since(&self, before: &Self) {
        let least = self.frames[0] - before.frames[1] - ON_THEIR_WAY;
        let most = self.frames[1] - before.frames[0] + ON_THEIR_WAY;
        assert_eq!(self.packets.len(), 200, "still there");
        for (id, packets) in &self.packets {
            let sent = packets - before.packets[id];
            assert!((least..=most).contains(&sent), "{sent}: {least} to {most}");
        }
    }
}

#[test]
fn network_cut_for_three_seconds_costs_three_seconds_and_no_listener() {
    let network = Namespace::new();
    let server = server_everywhere();
    let audience = audience_in(&server, &network, 10 * SECOND);
    wait_for(&server, 10);
    thread::sleep(2 * SECOND);
    network.plug(false);
    thread::sleep(3 * SECOND);
    network.plug(true);
    let heard = audience.report(PATIENCE);
    println!("cut for 3 s: {heard:?}");
    assert_eq!((heard.joined, heard.failed), (10, 0));
    let each = heard.lost / 10;
    // And until the neighbours know each other again.
    assert!((145..=250).contains(&each), "{each} packets of 20 ms");
}

#[test]
fn network_cut_for_forty_seconds_ends_the_calls_and_others_come_after() {
    let network = Namespace::new();
    let server = server_everywhere();
    let _cut_off = audience_in(&server, &network, 60 * SECOND);
    wait_for(&server, 10);
    network.plug(false);
    let cut = Instant::now();
    wait_for(&server, 0);
    let ended = cut.elapsed();
    println!("cut for 40 s: all forgotten after {ended:.1?}");
    // Consent lasts 30 s from the last check (RFC 7675 §5.1), which is up to 6 s old.
    assert!((23..=36).contains(&ended.as_secs()), "{ended:?}");
    thread::sleep((40 * SECOND).saturating_sub(ended));
    network.plug(true);
    let heard = audience_in(&server, &network, 2 * SECOND).report(PATIENCE);
    println!("after it: {heard:?}");
    assert_all_heard(&heard, 10, 2);
}

#[test]
fn listeners_whose_process_is_killed_are_forgotten_and_cost_the_others_nothing() {
    let server = Server::start_with("tone:440", &["--udp", "127.0.0.1:0"]);
    let doomed = Audience::start(&server.endpoint(), 10, 60 * SECOND, None, None);
    wait_for(&server, 10);
    let others = Audience::start(&server.endpoint(), 10, 40 * SECOND, None, None);
    wait_for(&server, 20);
    doomed.kill();
    let killed = Instant::now();
    wait_for(&server, 10);
    let ended = killed.elapsed();
    println!("killed: forgotten after {ended:.1?}");
    assert!((23..=36).contains(&ended.as_secs()), "{ended:?}");
    let heard = others.report(PATIENCE);
    println!("beside them: {heard:?}");
    assert_all_heard(&heard, 10, 40);
}

#[test]
fn listeners_behind_a_rough_link_lose_what_it_loses_and_nothing_else() {
    let options = ["--udp", "127.0.0.1:0", "--public-ip", "127.0.0.2"];
    let server = Server::start_with("tone:440", &options);
    let address = SocketAddr::new([127, 0, 0, 2].into(), server.media().port());
    let behind = SocketAddr::new([127, 0, 0, 1].into(), server.media().port());
    let roughness = Roughness {
        lost: 50,
        doubled: 20,
        delay: Duration::from_millis(40),
        jitter: Duration::from_millis(50),
    };
    let link = RoughLink::start(address, behind, roughness);
    let via = Some("127.0.0.2");
    let heard = Audience::start(&server.endpoint(), 20, 10 * SECOND, via, None).report(PATIENCE);
    let (sent, lost) = link.packets();
    println!("rough link: {lost} of {sent} packets lost on the way; {heard:?}");
    assert_eq!((heard.joined, heard.failed, heard.unauthentic), (20, 0, 0));
    let share = heard.lost as f64 / (heard.lost + heard.received) as f64;
    let expected = lost as f64 / sent as f64;
    assert!(
        (share - expected).abs() < 0.01,
        "{share:.3}, not {expected:.3}"
    );
    assert!(heard.reordered > 0 && heard.duplicates > 0);
    assert!(heard.received > 20 * 400, "{heard:?}");
}

#[test]
fn full_disk_under_the_log_silences_the_log_only() {
    let script = r#"RUST_LOG=trace exec "$0" "$@" 2>/dev/full"#;
    let server = Server::start_by(script, "tone:440", &["--udp", "127.0.0.1:0"]);
    let heard = Audience::start(&server.endpoint(), 20, 2 * SECOND, None, None).report(PATIENCE);
    println!("log on a full disk: {heard:?}");
    assert_all_heard(&heard, 20, 2);
    wait_for(&server, 0);
    assert_eq!(server.interrupt().0, Some(0));
}

fn assert_all_heard(heard: &Heard, listeners: u64, seconds: u64) {
    assert_eq!((heard.joined, heard.failed), (listeners, 0), "{heard:?}");
    assert_eq!((heard.lost, heard.unauthentic), (0, 0), "{heard:?}");
    // All but what a busy machine had no time for.
    let made = listeners * seconds * 50;
    assert!(heard.received > made * 9 / 10, "{heard:?} of {made}");
}

/// On every address that there is now, so that a namespace reaches it.
fn server_everywhere() -> Server {
    Server::start_by(r#"exec "$0" "$@""#, "tone:440", &[])
}

fn audience_in(server: &Server, network: &Namespace, time: Duration) -> Audience {
    let endpoint = format!("http://{}:{}/whep", network.host_address(), server.port());
    Audience::start(&endpoint, 10, time, None, Some(network))
}

/// Until so many listeners are connected, and no others are there.
fn wait_for(server: &Server, listeners: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stats = server.stats();
        let all = stats["listeners"].as_array().expect("a list");
        let connected = |one: &&Value| one["state"] == "connected";
        if all.len() == listeners && all.iter().filter(connected).count() == listeners {
            return;
        }
        assert!(Instant::now() < deadline, "{} listeners", all.len());
        thread::sleep(Duration::from_millis(100));
    }
}
