//! Permissions, and the table of who has which.

use super::Role;
use std::fmt;
use strum::{IntoStaticStr, VariantArray};

/// What a route requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, VariantArray)]
pub enum Permission {
    /// Place orders, with prices of the caller's own.
    #[strum(serialize = "orders:place")]
    PlaceOrders,
    /// Read and follow orders, their payments, shipments, refunds and notifications.
    #[strum(serialize = "orders:read")]
    ReadOrders,
    /// Cancel orders, mark notifications as read.
    #[strum(serialize = "orders:change")]
    ChangeOrders,
    /// Dispatch, deliver and refund orders.
    #[strum(serialize = "orders:fulfil")]
    FulfilOrders,
    /// Read stock.
    #[strum(serialize = "stock:read")]
    ReadStock,
    /// Change stock, and read its movements, which name the orders of all customers.
    #[strum(serialize = "stock:write")]
    WriteStock,
    /// Read the audit trail and all that is below `/admin`.
    #[strum(serialize = "admin:read")]
    ReadAdmin,
    /// Retry, redrive, restart, release, review, discard, and decide by hand.
    #[strum(serialize = "admin:act")]
    ActAdmin,
    /// Manage API keys, and take backups, which hold everything.
    #[strum(serialize = "system:manage")]
    ManageSystem,
    /// Read metrics.
    #[strum(serialize = "metrics:read")]
    ReadMetrics,
}

/// How far a role has a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Not at all.
    None,
    /// For what belongs to the principal's customer.
    Own,
    /// For everything.
    All,
}

impl Permission {
    /// Every permission.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The permission's name in documents.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The table of who may do what. A customer places no orders: he would set his own prices.
    pub fn of_role(self, role: Role) -> Grant {
        use Grant::{All, None, Own};
        let [customer, shop, operator, admin, metrics] = match self {
            Self::PlaceOrders => [None, All, None, All, None],
            Self::ReadOrders => [Own, All, All, All, None],
            Self::ChangeOrders => [Own, All, None, All, None],
            Self::FulfilOrders => [None, All, All, All, None],
            Self::ReadStock => [All, All, All, All, None],
            Self::WriteStock => [None, All, All, All, None],
            Self::ReadAdmin => [None, None, All, All, None],
            Self::ActAdmin => [None, None, All, All, None],
            Self::ManageSystem => [None, None, None, All, None],
            Self::ReadMetrics => [None, None, All, All, All],
        };
        match role {
            Role::Customer => customer,
            Role::Shop => shop,
            Role::Operator => operator,
            Role::Admin => admin,
            Role::Metrics => metrics,
        }
    }

    /// The roles that have it, for everything or for what is their own.
    pub fn roles(self) -> impl Iterator<Item = (Role, Grant)> {
        let granted = Role::ALL.iter().map(move |role| (*role, self.of_role(*role)));
        granted.filter(|(_, grant)| *grant != Grant::None)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of the table is a change of this list, too.
    #[test]
    fn the_table_is_as_it_was_agreed() {
        let granted = |role| {
            let own = |permission: &&Permission| permission.of_role(role) == Grant::Own;
            let all = |permission: &&Permission| permission.of_role(role) == Grant::All;
            let names = |granted: Vec<&Permission>| {
                granted.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(" ")
            };
            let permissions = Permission::ALL.iter();
            [
                names(permissions.clone().filter(own).collect()),
                names(permissions.filter(all).collect()),
            ]
        };
        assert_eq!(granted(Role::Customer), ["orders:read orders:change", "stock:read"]);
        assert_eq!(
            granted(Role::Shop),
            ["", "orders:place orders:read orders:change orders:fulfil stock:read stock:write"]
        );
        assert_eq!(
            granted(Role::Operator),
            [
                "",
                "orders:read orders:fulfil stock:read stock:write admin:read admin:act metrics:read"
            ]
        );
        assert_eq!(
            granted(Role::Admin),
            [
                "",
                "orders:place orders:read orders:change orders:fulfil stock:read stock:write \
                 admin:read admin:act system:manage metrics:read"
            ]
        );
        assert_eq!(granted(Role::Metrics), ["", "metrics:read"]);
    }
}
