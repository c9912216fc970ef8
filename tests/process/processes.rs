//! Several processes on one place: the same service many times over, or each service in a process of its own.

use super::server::Server;
use super::setup::Setup;
use super::shop::Shop;
use ordermill_domain::ids::ServiceName;

/// Processes on one place, each with a port that it keeps over restarts.
pub struct Processes {
    setups: Vec<Setup>,
    servers: Vec<Option<Server>>,
}

impl Processes {
    /// So many processes that run all services.
    pub fn alike(setup: &Setup, processes: usize) -> Self {
        Self::start_all((0..processes).map(|_| setup.clone().with_port()).collect())
    }

    /// A process for each service.
    pub fn apart(setup: &Setup) -> Self {
        let alone = |service: &ServiceName| {
            setup.clone().with_port().with("ORDERMILL_SERVICES", service.as_str())
        };
        Self::start_all(ServiceName::ALL.iter().map(alone).collect())
    }

    fn start_all(setups: Vec<Setup>) -> Self {
        let mut servers: Vec<_> = setups.iter().map(|setup| Some(setup.launch())).collect();
        servers.iter_mut().flatten().for_each(Server::serves);
        Self { setups, servers }
    }

    /// A process that runs.
    pub fn server(&self, index: usize) -> &Server {
        self.servers[index].as_ref().expect("it runs")
    }

    /// A customer at each server.
    pub fn shops(&self) -> Vec<Shop> {
        self.servers.iter().flatten().map(Server::shop).collect()
    }

    /// A customer who takes all servers in turn.
    pub fn shop(&self) -> Shop {
        Shop::at_all(self.servers.iter().flatten().map(|server| server.url.clone()).collect())
    }

    /// A customer of a group whose processes run a service each, who knows which server is whose.
    pub fn departments(&self) -> Shop {
        let url = |service| {
            let index = ServiceName::ALL.iter().position(|name| name.as_str() == service).unwrap();
            format!("http://{}", self.setups[index].listen())
        };
        let of_order = url("order");
        Shop::at(&of_order).with_departments(vec![
            ("/inventory", url("inventory")),
            ("/payments", url("payment")),
            ("/shipments", url("shipping")),
            ("/notifications", url("notification")),
            ("/audit", url("audit")),
        ])
    }

    /// A process that runs, or has run.
    pub fn server_mut(&mut self, index: usize) -> Option<&mut Server> {
        self.servers[index].as_mut()
    }

    /// A customer at each server, whoever is behind it just now.
    pub fn servers(&self) -> Vec<Shop> {
        let url = |setup: &Setup| format!("http://{}", setup.listen());
        self.setups.iter().map(|setup| Shop::at(&url(setup))).collect()
    }

    /// Starts one with another setting, and does not wait until it serves.
    pub fn launch_with(&mut self, index: usize, variable: &str, value: &str) {
        let setup = self.setups[index].clone().with(variable, value);
        self.servers[index] = Some(setup.launch());
    }

    /// Starts one, and does not wait until it serves.
    pub fn launch(&mut self, index: usize) {
        self.servers[index] = Some(self.setups[index].launch());
    }

    /// Ends one as a power cut would.
    pub fn kill9(&mut self, index: usize) {
        self.servers[index].take().expect("it runs").kill9();
    }

    /// Ends one in good order.
    pub async fn terminate_one(&mut self, index: usize) {
        self.servers[index].take().expect("it runs").terminate().await;
    }

    /// Starts one again, and waits until it serves.
    pub fn start(&mut self, index: usize) {
        self.servers[index] = Some(self.setups[index].start());
    }

    /// Ends all of them in good order.
    pub async fn terminate(self) {
        for server in self.servers.into_iter().flatten() {
            server.terminate().await;
        }
    }
}
