//! /admin/backup: all databases of an embedded system at one instant.

use crate::api::group::Group;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::backup::Refused;
use ordermill_sqlite::snapshot::SnapshotError;
use poem::Body;
use poem_openapi::payload::Binary;
use poem_openapi::{ApiResponse, OpenApi};
use std::time::Duration;

/// When it is worth another try after the databases were too busy.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// What is said where there are no files.
const ON_SERVERS: &str = "this server stores its data in PostgreSQL; back it up with PostgreSQL \
     tools, see docs/OPERATING.md";

/// A backup.
#[derive(ApiResponse)]
enum Taken {
    /// A tar archive of the databases. `backup.json`, its last file, lists each with its size and
    /// SHA-256. An archive without it is incomplete.
    #[oai(status = 200, content_type = "application/x-tar")]
    Archive(Binary<Body>),
}

/// The routes.
pub struct BackupApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl BackupApi {
    /// Take a backup of all databases
    ///
    /// All databases are copied at one instant; writes pause for some milliseconds. The archive is
    /// streamed while the server keeps working. Only one backup can run at a time. `ordermill
    /// backup` requests, checks and unpacks it; to restore it, serve from a copy of the directory.
    #[oai(path = "/admin/backup", method = "post")]
    async fn backup(&self) -> Result<Taken, Problem> {
        let Some(backups) = &self.0.backups else { return Err(Problem::conflict(ON_SERVERS)) };
        let archive = backups.begin().await?;
        Ok(Taken::Archive(Binary(Body::from_bytes_stream(archive.bytes()))))
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Another => Self::conflict(refused.to_string()),
            Refused::Snapshot(error @ SnapshotError::Busy) => {
                tracing::warn!(service = "http", %error, "backup failed");
                Self::unavailable(
                    "the databases are too busy for a backup; retry later",
                    RETRY_AFTER,
                )
            }
            Refused::Snapshot(error) => Self::internal(&error),
        }
    }
}
