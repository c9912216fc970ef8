//! The words that customers read.

use super::topic::Topic;
use crate::ids::OrderId;
use crate::messages::{
    Contact, Failure, OrderDetails, OrderMessage, OrderNotice, Payload, PaymentMessage,
    PaymentStatusUpdated, Priority,
};
use crate::payment::Page;

/// A text for a customer, its recipient, and how they can be reached.
pub(super) struct CustomerNotice<'a> {
    pub topic: Topic,
    pub customer_id: &'a str,
    /// How they can be reached. None: the entry in the shop is all.
    pub contact: Option<&'a Contact>,
    pub priority: Priority,
    pub title: &'static str,
    pub body: String,
    /// The page that the text asks the customer to pay at.
    pub page: Option<&'a Page>,
}

/// The notice that an event sends to the customer. None: customers are not told of it.
pub(super) fn notice(order: OrderId, payload: &Payload) -> Option<CustomerNotice<'_>> {
    match payload {
        Payload::Order(message) => of_order(order, message),
        Payload::Payment(PaymentMessage::StatusUpdated(updated)) => of_payment(order, updated),
        Payload::Payment(_)
        | Payload::Inventory(_)
        | Payload::Shipping(_)
        | Payload::Notification(_) => None,
    }
}

fn of_order(order: OrderId, message: &OrderMessage) -> Option<CustomerNotice<'_>> {
    match message {
        OrderMessage::Created(details) => Some(CustomerNotice {
            topic: Topic::Created,
            customer_id: &details.customer_id,
            contact: Some(&details.contact),
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

/// What became of a payment stands in the shop; by mail the order's own events say what comes of it.
fn of_payment(order: OrderId, updated: &PaymentStatusUpdated) -> Option<CustomerNotice<'_>> {
    let topic =
        Topic::of_payment(&updated.payment_status).filter(|_| !updated.customer_id.is_empty())?;
    let (title, body) = match topic {
        Topic::PaymentSucceeded => {
            ("Your payment has arrived", format!("Your order {order} is paid. Thank you!"))
        }
        Topic::PaymentExpired => {
            ("The time to pay has ended", format!("Your order {order} was not paid in time."))
        }
        Topic::PaymentFailed => (
            "Your payment has failed",
            format!("Your order {order} is not paid. What was paid for it is given back."),
        ),
        _ => ("Your payment is pending", format!("Your order {order} is not paid yet.")),
    };
    Some(CustomerNotice {
        topic,
        customer_id: &updated.customer_id,
        contact: None,
        priority: Priority::default(),
        title,
        body,
        page: None,
    })
}

fn of_notice<'a>(
    topic: Topic,
    notice: &'a OrderNotice,
    title: &'static str,
    body: String,
) -> CustomerNotice<'a> {
    let OrderNotice { customer_id, contact, priority, .. } = notice;
    let (contact, priority) = (Some(contact), *priority);
    CustomerNotice { topic, customer_id, contact, priority, title, body, page: None }
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
