//! Servers that are not what they should be: found out at the start, and whenever a session is opened
//! again.

use crate::backend::next_owner;
use crate::server::{Scratch, run, server};
use crate::standby::Standby;
use ordermill_actors::ports::{CommitError, ReadError, Store};
use ordermill_actors::shipping::ShipmentReads;
use ordermill_contract::outbox::saying;
use ordermill_contract::values::order;
use ordermill_postgres::shipping::{MIGRATIONS, SCHEMA, ShippingDatabase};
use ordermill_postgres::{Database, OpenError, Unfit};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

async fn open(options: &PgConnectOptions) -> Result<Database, OpenError> {
    let url = options.to_url_lossy().to_string();
    Database::open(&url, SCHEMA, &MIGRATIONS, next_owner()).await
}

/// A user who owns the database of a test; dropped at its end.
struct Owner {
    name: String,
    admin: PgConnection,
}

impl Owner {
    async fn of(scratch: &Scratch) -> Self {
        let name = format!("{}_owner", scratch.options().get_database().unwrap());
        let mut admin = scratch.connect().await;
        run(&mut admin, format!("DROP ROLE IF EXISTS {name}")).await;
        run(&mut admin, format!("CREATE ROLE {name} LOGIN PASSWORD 'hunter2'")).await;
        let database = scratch.options().get_database().unwrap().to_owned();
        run(&mut admin, format!("ALTER DATABASE {database} OWNER TO {name}")).await;
        Self { name, admin }
    }

    fn options(&self, scratch: &Scratch) -> PgConnectOptions {
        scratch.options().username(&self.name).password("hunter2")
    }

    async fn is(&mut self, how: &str) {
        run(&mut self.admin, format!("ALTER ROLE {} {how}", self.name)).await;
    }

    /// Ends its sessions, as a server that is started again would.
    async fn is_thrown_out(&mut self) {
        let terminate = format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{}'",
            self.name
        );
        run(&mut self.admin, terminate).await;
    }

    async fn drop_database(mut self) {
        self.is_thrown_out().await;
        run(&mut self.admin, format!("REASSIGN OWNED BY {} TO CURRENT_USER", self.name)).await;
        run(&mut self.admin, format!("DROP ROLE {}", self.name)).await;
    }
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_database_that_cannot_store_every_text_is_refused() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let scratch = Scratch::with(&format!(
            "ENCODING {encoding} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        ))
        .await;
        let error = open(&scratch.options()).await.unwrap_err();
        let text = error.to_string();
        assert!(!error.may_pass(), "{text}");
        for word in [encoding, "ENCODING 'UTF8'", scratch.options().get_database().unwrap()] {
            assert!(text.contains(word), "{word:?} is not in {text:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_read_only_server_is_waited_for_at_the_start_and_later() {
    let scratch = Scratch::new().await;
    let mut owner = Owner::of(&scratch).await;
    let options = owner.options(&scratch);
    owner.is("SET default_transaction_read_only = on").await;
    let error = open(&options).await.unwrap_err();
    assert!(error.may_pass(), "{error}");
    assert!(error.to_string().contains("does not accept writes"), "{error}");

    owner.is("SET default_transaction_read_only = off").await;
    let store = open(&options).await.unwrap();
    store.commit(&saying(0..1)).await.unwrap();
    owner.is("SET default_transaction_read_only = on").await;
    owner.is_thrown_out().await;
    let mut refused = store.commit(&saying(1..2)).await.err().unwrap();
    if !refused.to_string().contains("does not accept writes") {
        // That the session was lost is noticed first.
        refused = store.commit(&saying(1..2)).await.err().unwrap();
    }
    assert!(matches!(refused, CommitError::Unavailable(_)), "{refused}");
    assert!(refused.to_string().contains("does not accept writes"), "{refused}");

    owner.is("SET default_transaction_read_only = off").await;
    store.commit(&saying(1..2)).await.unwrap();
    store.close().await;
    owner.drop_database().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_standby_is_waited_for_until_it_is_promoted() {
    let scratch = Scratch::new().await;
    open(&scratch.options()).await.unwrap().close().await;
    let standby = Standby::of(&server()).await;
    let options = scratch.options().host("127.0.0.1").port(standby.port);
    let error = open(&options).await.unwrap_err();
    let standby = matches!(&error, OpenError::Unfit { why, .. } if **why == Unfit::Standby);
    assert!(standby, "{error}");
    assert!(error.may_pass() && error.to_string().contains("promoted"), "{error}");

    let mut conn = options.connect().await.unwrap();
    run(&mut conn, "SELECT pg_promote()".to_owned()).await;
    let promoted = open(&options).await.unwrap();
    promoted.commit(&saying(0..1)).await.unwrap();
}

/// A process that has the sessions to write, and none to read: the reason is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn too_few_sessions_are_named_at_the_start_and_later() {
    let scratch = Scratch::new().await;
    let mut owner = Owner::of(&scratch).await;
    let options = owner.options(&scratch);
    owner.is("CONNECTION LIMIT 1").await;
    let error = open(&options).await.unwrap_err();
    assert!(error.may_pass(), "{error}");
    assert!(error.to_string().contains("too many connections"), "{error}");

    owner.is("CONNECTION LIMIT 2").await;
    let database = open(&options).await.unwrap();
    owner.is("CONNECTION LIMIT 1").await;
    let reads = ShippingDatabase(database.clone());
    let error = reads.shipment(order(1)).await.unwrap_err();
    assert!(matches!(error, ReadError::Away(_)), "{error}");
    assert!(error.to_string().contains("too many connections"), "{error}");

    owner.is("CONNECTION LIMIT 2").await;
    assert_eq!(reads.shipment(order(1)).await.unwrap(), None);
    database.close().await;
    owner.drop_database().await;
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_schema_without_usage_privilege_is_named() {
    let scratch = Scratch::new().await;
    open(&scratch.options()).await.unwrap().close().await;
    let owner = Owner::of(&scratch).await;
    let error = open(&owner.options(&scratch)).await.unwrap_err();
    assert!(!error.may_pass() && error.to_string().contains("shipping"), "{error}");
    owner.drop_database().await;
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_schema_has_one_identity_and_each_has_another() {
    let (one, another) = (Scratch::new().await, Scratch::new().await);
    let first = open(&one.options()).await.unwrap();
    let again = open(&one.options()).await.unwrap();
    let other = open(&another.options()).await.unwrap();
    assert_eq!(first.identity(), again.identity());
    assert_ne!(first.identity(), other.identity());
}
