//! Sagas, for operators.

use super::support::{Shop, order};

#[tokio::test(flavor = "multi_thread")]
async fn a_saga_is_shown_with_its_order() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let saga = shop.get(&format!("/admin/sagas/{placed}")).await.expect(200).json();
    assert_eq!(saga["saga_id"], placed.as_str());
    assert_eq!((&saga["status"], &saga["step"]), (&"COMPLETED".into(), &"DONE".into()));
    assert_eq!(saga["order"]["status"], "CONFIRMED");
    let nobody = "/admin/sagas/0190d6e8-0000-7000-8000-000000000000";
    shop.get(nobody).await.problem(404);
    shop.ask(&format!("{nobody}/retry")).await.problem(404);
    shop.get("/admin/sagas/x").await.problem(400);
    let retried = shop.ask(&format!("/admin/sagas/{placed}/retry")).await;
    assert!([202, 409].contains(&retried.status.as_u16()), "{}", retried.text);
    shop.close().await;
}
