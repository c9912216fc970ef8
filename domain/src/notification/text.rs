//! The words that customers read.

use super::topic::Topic;
use crate::ids::OrderId;
use crate::messages::{
    Contact, Failure, OrderDetails, OrderMessage, OrderNotice, Payload, Priority,
};
use crate::payment::Page;

/// A text for a customer, its recipient, and how they can be reached.
pub(super) struct CustomerNotice<'a> {
    pub topic: Topic,
    pub customer_id: &'a str,
    pub contact: &'a Contact,
    pub priority: Priority,
    pub title: &'static str,
    pub body: String,
    /// The page that the text asks the customer to pay at.
    pub page: Option<&'a Page>,
}

/// The notice that an event sends to the customer. None: customers are not told of it.
pub(super) fn notice(order: OrderId, payload: &Payload) -> Option<CustomerNotice<'_>> {
    // Only messages about orders are for customers.
    let Payload::Order(message) = payload else { return None };
    match message {
        OrderMessage::Created(details) => Some(CustomerNotice {
            topic: Topic::Created,
            customer_id: &details.customer_id,
            contact: &details.contact,
            priority: details.priority,
            title: "We have received your order",
            body: received(order, details),
            page: None,
        }),
        OrderMessage::Confirmed(notice) => Some(of_notice(
            Topic::Confirmed,
            notice,
            "Your order is confirmed",
            confirmed(order, notice),
        )),
        OrderMessage::Shipped(notice) => Some(of_notice(
            Topic::Shipped,
            notice,
            "Your order is on its way",
            shipped(order, notice),
        )),
        OrderMessage::Completed(notice) => {
            let body = format!("Your order {order} has arrived. Thank you!");
            Some(of_notice(Topic::Completed, notice, "Your order has arrived", body))
        }
        OrderMessage::Cancelled(notice) => Some(of_notice(
            Topic::Cancelled,
            notice,
            "Your order is cancelled",
            cancelled(order, notice),
        )),
        OrderMessage::PaymentRequired(notice) => Some(CustomerNotice {
            page: notice.payment.as_ref(),
            ..of_notice(
                Topic::PaymentRequired,
                notice,
                "Please pay for your order",
                payment_required(order, notice),
            )
        }),
        OrderMessage::CancelRequested(_)
        | OrderMessage::DispatchRequested
        | OrderMessage::DeliveryConfirmed => None,
    }
}

fn of_notice<'a>(
    topic: Topic,
    notice: &'a OrderNotice,
    title: &'static str,
    body: String,
) -> CustomerNotice<'a> {
    let OrderNotice { customer_id, contact, priority, .. } = notice;
    CustomerNotice { topic, customer_id, contact, priority: *priority, title, body, page: None }
}

fn received(order: OrderId, details: &OrderDetails) -> String {
    let (units, total) = (details.units(), details.total());
    let items = if units == 1 { "item" } else { "items" };
    format!(
        "Thank you! We have received your order {order}: {units} {items}, total {total}. We will \
         notify you when it is confirmed."
    )
}

/// Without the link: the entry in the shop is listed, and the link is for the customer's own eyes.
fn payment_required(order: OrderId, notice: &OrderNotice) -> String {
    let until = notice.payment.as_ref().map_or_else(String::new, |page| {
        format!(" until {}", page.expires_at.format("%Y-%m-%d %H:%M UTC"))
    });
    format!("Your order {order} of {} can be paid{until}.", notice.total)
}

fn confirmed(order: OrderId, notice: &OrderNotice) -> String {
    let mut text = format!(
        "Your order {order} of {} is paid and your parcel is being prepared.",
        notice.total
    );
    track(&mut text, notice);
    text
}

fn shipped(order: OrderId, notice: &OrderNotice) -> String {
    let mut text = format!("Your order {order} has left our warehouse.");
    track(&mut text, notice);
    text
}

fn track(text: &mut String, notice: &OrderNotice) {
    if let Some(code) = &notice.tracking_code {
        text.push_str(" Track it with ");
        text.push_str(code);
        text.push('.');
    }
}

fn cancelled(order: OrderId, notice: &OrderNotice) -> String {
    let reason = notice.failure.as_ref().map_or_else(String::new, reason);
    format!(
        "Your order {order} of {} is cancelled{reason}. Any payment has been refunded.",
        notice.total
    )
}

/// The reason, in words that people can do something with: `, because …`.
fn reason(failure: &Failure) -> String {
    let because = match (failure.reason.as_str(), failure.step.as_str()) {
        ("cancelled_by_customer", _) => return ", as you requested".to_owned(),
        ("deadline_exceeded", _) => "it could not be completed in time".to_owned(),
        ("unknown_product", _) => format!("product {} is unknown", products(failure)),
        (_, "inventory") => format!("there is not enough stock of {}", products(failure)),
        (_, "payment") => "the payment was declined".to_owned(),
        (_, "shipping") => "no carrier could take the parcel".to_owned(),
        _ => return String::new(),
    };
    format!(", because {because}")
}

fn products(failure: &Failure) -> String {
    let names: Vec<_> = failure.shortages.iter().map(|short| short.product_id.as_str()).collect();
    if names.is_empty() { "what you ordered".to_owned() } else { names.join(", ") }
}
