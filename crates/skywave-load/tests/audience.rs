//! A small audience of a real engine, over loopback, from the first offer to the last farewell.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use skywave::{Engine, EngineConfig, Tone, TrackConfig};
use skywave_load::{Findings, Mode, Plan, Report, run};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

struct Server {
    engine: Engine,
    url: String,
    runtime: Runtime,
}

impl Server {
    fn start() -> Self {
        let engine = Engine::bind(EngineConfig {
            udp: "127.0.0.1:0".parse().unwrap(),
            ..EngineConfig::default()
        })
        .unwrap();
        let track = engine.audio_track(TrackConfig::default());
        track.replace_audio_source(Tone::new(440.0).unwrap());
        let (router, listeners) = skywave_whip::whep_router(engine.clone(), track);
        let runtime = Runtime::new().unwrap();
        let socket = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/whep", socket.local_addr().unwrap());
        runtime.spawn(async move {
            axum::serve(socket, router).await.unwrap();
            drop(listeners);
        });
        Self {
            engine,
            url,
            runtime,
        }
    }

    fn test(&self, mode: Mode) -> Report {
        let mut plan = Plan::new(&self.url, mode);
        plan.pid = Some(std::process::id());
        plan.connections = 4;
        plan.sample = 1;
        run(&plan).unwrap()
    }

    /// Waits until the engine has nobody to send to.
    fn empty(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.engine.stats().transmitters > 0 {
            assert!(Instant::now() < deadline, "{:?}", self.engine.stats());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(self) {
        self.runtime.shutdown_background();
    }
}

#[test]
fn audience_hears_every_packet_and_leaves() {
    let server = Server::start();
    let report = server.test(Mode::Steady {
        steps: vec![5, 20],
        ramp: 500.0,
        settle: Duration::from_millis(100),
        time: Duration::from_secs(1),
    });
    let Findings::Steady(audiences) = &report.findings else {
        panic!("{report}");
    };
    let sizes: Vec<_> = audiences
        .iter()
        .map(|audience| audience.listeners)
        .collect();
    assert_eq!(sizes, [5, 20], "{report}");
    for (audience, joined) in audiences.iter().zip([5, 15]) {
        assert_eq!(audience.joins.connected, joined, "{report}");
        let reception = audience.window.reception;
        assert_eq!(reception.received, reception.expected, "{report}");
        assert_eq!(reception.authenticated, reception.received, "{report}");
        assert_eq!((reception.unauthentic, reception.duplicates), (0, 0));
        // Half of them: a busy machine leaves frames out for all.
        assert!(reception.received > audience.listeners * 25, "{report}");
        assert_eq!(audience.window.rate, 50.0, "{report}");
    }
    assert!(report.to_string().contains("server RSS a listener"));
    server.empty();
    server.end();
}

#[test]
fn waves_come_and_go_without_trace() {
    let server = Server::start();
    let report = server.test(Mode::Churn {
        total: 25,
        at_a_time: 10,
    });
    let Findings::Churn(churn) = &report.findings else {
        panic!("{report}");
    };
    assert_eq!(churn.joins.connected, 25, "{report}");
    assert_eq!((churn.refused_farewells, churn.early_after), (0, 25));
    assert!(churn.late.is_some() && report.held(), "{report}");
    server.empty();
    server.end();
}

#[test]
fn audience_is_watched_before_and_during_a_storm() {
    let server = Server::start();
    let report = server.test(Mode::Storm {
        rate: 40.0,
        stay: Duration::from_millis(100),
        time: Duration::from_secs(1),
        background: 5,
    });
    let Findings::Storm(storm) = &report.findings else {
        panic!("{report}");
    };
    assert_eq!(
        (storm.joins.asked, storm.joins.connected),
        (40, 40),
        "{report}"
    );
    assert_eq!(storm.refused_as_full, 0);
    for window in [&storm.before, &storm.during] {
        let window = window.as_ref().unwrap();
        assert_eq!(window.listeners, 5);
        assert_eq!(window.reception.received, window.reception.expected);
    }
    assert!(storm.passing.gaps.count > 0, "{report}");
    server.empty();
    server.end();
}

#[test]
fn refusals_are_counted_by_their_status() {
    let server = Server::start();
    let mut plan = Plan::new(
        &format!("{}/nowhere", server.url),
        Mode::Churn {
            total: 3,
            at_a_time: 2,
        },
    );
    plan.connections = 1;
    let report = run(&plan).unwrap();
    let Findings::Churn(churn) = &report.findings else {
        panic!("{report}");
    };
    assert_eq!(churn.joins.connected, 0);
    let failures: Vec<_> = churn.joins.failures.values().collect();
    assert_eq!(failures, [&3], "{report}");
    assert!(!report.held());
    server.end();
}
