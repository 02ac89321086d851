//! Runs a test from the first join to the last farewell.

use std::time::{Duration, SystemTime};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use skywave_dtls::Identity;

use crate::crowd::Crowd;
use crate::group::Group;
use crate::process::{Process, Size};
use crate::report::{Findings, Report};
use crate::target::Target;
use crate::{Error, Mode, Plan, Settings, churn, steady, storm};

/// Makes a test; takes as long as the plan says. Reads clocks, opens sockets, starts threads for
/// HTTP, and raises this process's limit of descriptors.
///
/// # Errors
/// [`Error`], if there is nothing to test or no means to.
pub fn run(plan: &Plan) -> Result<Report, Error> {
    allow_descriptors((plan.most() + plan.connections) as u64 + SPARE_DESCRIPTORS)?;
    let target = Target::resolve(&plan.url, plan.via)?;
    let settings = Settings {
        identity: Identity::generate(SystemTime::now()).map_err(Error::Certificate)?,
        sample: plan.sample,
        patience: plan.patience,
    };
    let server_before = server_size(plan)?;
    let mut crowd = Crowd::new(target, settings, plan.connections)?;
    let findings = match plan.mode {
        Mode::Steady { .. } => Findings::Steady(steady::run(&mut crowd, plan, server_before)?),
        Mode::Churn { .. } => Findings::Churn(Box::new(churn::run(&mut crowd, plan)?)),
        Mode::Storm { .. } => Findings::Storm(Box::new(storm::run(&mut crowd, plan)?)),
    };
    for group in [Group::Steady, Group::Passing] {
        crowd.leave_all(group);
    }
    crowd.turn_until_answered()?;
    if plan.pid.is_some() {
        crowd.turn_for(AFTERMATH)?;
    }
    Ok(Report {
        url: plan.url.clone(),
        server_before,
        server_after: server_size(plan)?,
        findings,
    })
}

/// The server now, if its process is known.
pub(crate) fn server_size(plan: &Plan) -> Result<Option<Size>, Error> {
    let server = plan.pid.map(Process::read).transpose()?;
    Ok(server.map(|server| server.size))
}

fn allow_descriptors(needed: u64) -> Result<(), Error> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if most < needed {
        let limit = most;
        return Err(Error::Descriptors { needed, limit });
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(|error| Error::System(error.into()))
}

/// Standard streams, libraries, `/proc`, the server's if it is in this process.
const SPARE_DESCRIPTORS: u64 = 64;
/// For the server to clear up when all have left.
const AFTERMATH: Duration = Duration::from_secs(2);
