//! The first dashboard to open: is the shop well, and if not, where is it stuck?

mod orders;
mod payment;
mod pipeline;
mod resources;
mod stuck;
mod traffic;

use super::layout::Dashboard;

/// Seed 002's panels first, then what each part of the system does.
pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "ordermill-overview",
        title: "Ordermill: overview",
        description: "Requests and sagas first, then orders, what is stuck, the pipeline, payment and resources.",
        variables: Vec::new(),
        rows: vec![
            traffic::row(),
            orders::row(),
            stuck::row(),
            pipeline::row(),
            payment::row(),
            resources::row(),
        ],
    }
}
