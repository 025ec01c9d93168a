//! What a page finds around it: the size of its window, light or dark, languages, a network, somebody who looks.

use crate::page::Page;
use serde_json::json;

impl Page<'_> {
    /// Gives its window a size, in pixels of CSS.
    #[track_caller]
    pub(crate) fn resize(&self, width: u32, height: u32, scale: f64) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Light or dark, as the user has set the system.
    #[track_caller]
    pub(crate) fn set_scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// The languages that the user reads, the dearest first.
    #[track_caller]
    pub(crate) fn set_languages(&self, languages: &str) {
        let agent = self.value("navigator.userAgent");
        let agent = json!({ "userAgent": agent, "acceptLanguage": languages });
        self.call("Network.setUserAgentOverride", agent);
    }

    /// Clicks at the switch until a language is shown: `en` or `zh-CN`.
    #[track_caller]
    pub(crate) fn switch_to(&self, language: &str) {
        if self.value("document.documentElement.lang") != language {
            self.click("#language");
        }
        assert_eq!(self.value("document.documentElement.lang"), language, "what the switch leads to");
    }

    /// Puts its window away: nobody sees it, and it draws nothing.
    #[track_caller]
    pub(crate) fn hide(&self) {
        // One that has the keyboard is taken for visible.
        self.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": false }));
        self.set_window("minimized");
        self.wait_until("document.visibilityState === 'hidden'");
    }

    /// Fetches it back.
    #[track_caller]
    pub(crate) fn show(&self) {
        self.set_window("normal");
        self.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        self.wait_until("document.visibilityState === 'visible'");
    }

    #[track_caller]
    fn set_window(&self, state: &str) {
        let window = self.call("Browser.getWindowForTarget", json!({}));
        let bounds = json!({ "windowId": window["windowId"], "bounds": { "windowState": state } });
        self.call("Browser.setWindowBounds", bounds);
    }

    /// Takes its network away, or gives it back.
    #[track_caller]
    pub(crate) fn set_offline(&self, is_offline: bool) {
        let conditions =
            json!({ "offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.call("Network.emulateNetworkConditions", conditions);
        self.wait_until(&format!("navigator.onLine === {}", !is_offline));
    }

    /// What is run before the scripts of each page that it opens from here on.
    #[track_caller]
    pub(crate) fn run_first(&self, source: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source }));
    }
}
