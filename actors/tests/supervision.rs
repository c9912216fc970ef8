//! What fails is started again, what keeps failing is left alone or takes its supervisor along, what is
//! silent is noticed, and all of it can be seen.

#[path = "supervision/escalation.rs"]
mod escalation;
#[path = "supervision/quarantine.rs"]
mod quarantine;
#[path = "supervision/seen.rs"]
mod seen;
#[path = "supervision/silence.rs"]
mod silence;
#[path = "stations/toy.rs"]
#[expect(dead_code, reason = "the stations' own tests use all of it")]
mod toy;
