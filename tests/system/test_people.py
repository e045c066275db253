"""People and tenants in a real browser: from signing up to reading the audit trail of it all."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from pyotp.totp import TOTP

from tests.system.browser import open_page, picture
from tests.system.product import BIN, Cloud, clean_environment, eventually

PASSWORD = "quiet copper lantern 47"
OTHERS = "amber river gravel 92"
ADA, BO = "ada@example.com", "bo@example.com"


def latest_mail(cloud: Cloud, address: str, subject: str) -> str:
    """The text of the newest mail to `address` whose subject has `subject`, as the operator sees it."""

    def mail(*arguments: str) -> str:
        environment = clean_environment(
            {"EDGEFLOW_DATA_DIR": str(cloud.data), "EDGEFLOW_PORT": str(cloud.port), **cloud.settings}
        )
        done = subprocess.run(
            [str(BIN / "edgeflow-cloud"), "mail", *arguments],
            env=environment,
            cwd=cloud.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def find() -> str:
        for line in mail("list").splitlines():
            fields = line.split("\t")
            if fields[3:4] == [address] and subject in fields[4]:
                return fields[0]
        return ""

    return mail("show", eventually(find, within=30, what=f"a mail to {address} about {subject}"))


def link_in(mail: str) -> str:
    """The link with its secret."""
    found = re.search(r"https?://\S+#token=\S+", mail)
    assert found, mail
    return found[0]


def enter(page: Page, cloud: Cloud, email: str, password: str) -> None:
    page.goto(f"{cloud.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Profile menu").click()
    page.get_by_role("menuitem", name="Log out").click()
    page.get_by_label("E-mail").wait_for()


def sign_up(page: Page, cloud: Cloud) -> None:
    page.goto(f"{cloud.url}/login")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Last name").fill("Byron")
    page.get_by_label("Organization").fill("Packing Plant North")
    page.get_by_label("E-mail").fill(ADA)
    page.get_by_label("Password", exact=True).fill("password")
    expect(page.get_by_text(re.compile("Guessed at once|Weak"))).to_be_visible()
    picture(page, "sign-up-weak")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(page.get_by_text(re.compile("Good|Strong"))).to_be_visible()
    page.get_by_label("I accept the terms").check()
    picture(page, "sign-up")
    page.get_by_role("button", name="Create an account").click()
    page.get_by_role("heading", name="Devices").wait_for()
    expect(page.get_by_text("Verify your e-mail address")).to_be_visible()
    picture(page, "unverified")


def set_up_totp(page: Page) -> tuple[TOTP, list[str]]:
    page.get_by_role("button", name="Profile menu").click()
    page.get_by_role("menuitem", name="Your account").click()
    picture(page, "account")
    page.get_by_role("link", name="Security").click()
    page.get_by_role("button", name="Set up the second factor").click()
    setup = page.get_by_role("region", name="Second factor")
    setup.get_by_label("Password", exact=True).fill(PASSWORD)
    setup.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("img", name="QR code for the authenticator")).to_be_visible()
    totp = TOTP(setup.locator("code").first.inner_text())
    setup.get_by_label("Code from the authenticator").fill(totp.now())
    picture(page, "mfa-setup")
    setup.get_by_role("button", name="Switch it on").click()
    shown = page.get_by_test_id("recovery-codes").get_by_role("listitem")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    picture(page, "recovery-codes")
    with page.expect_download() as download:
        setup.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_text().split() == codes
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    return totp, codes


def next_code(page: Page, totp: TOTP, spent: str) -> str:
    """A code that was not used before: each counts once."""
    while (code := totp.now()) == spent:
        page.wait_for_timeout(1_000)
    return code


def invite(page: Page) -> None:
    page.get_by_role("link", name="Organization").click()
    picture(page, "organization")
    page.get_by_role("link", name="Members").click()
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("dialog").get_by_label("E-mail").fill(BO)
    page.get_by_role("radio", name="Viewer").check()
    picture(page, "invite")
    page.get_by_role("button", name="Send the invitation").click()
    invitations = page.get_by_role("region", name="Open invitations")
    expect(invitations.get_by_text(BO)).to_be_visible()


def accept(cloud: Cloud, browser: Browser) -> None:
    """The second person, with nothing of the first's; sees what a viewer may not, and why."""
    context = browser.new_context(viewport={"width": 1360, "height": 860}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(link_in(latest_mail(cloud, BO, "Join")))
    expect(page.get_by_text(f"To Packing Plant North, as {BO}")).to_be_visible()
    assert "#" not in page.url, "the secret stays out of the address bar"
    page.get_by_label("First name").fill("Bo")
    page.get_by_label("Last name").fill("Kern")
    page.get_by_label("Password", exact=True).fill(OTHERS)
    page.get_by_label("I accept the terms").check()
    picture(page, "accept-invitation")
    page.get_by_role("button", name="Join Packing Plant North").click()
    page.get_by_role("heading", name="Devices").wait_for()
    page.get_by_role("link", name="Organization").click()
    page.get_by_role("link", name="Members").click()
    expect(page.get_by_text("You are signed in as Viewer")).to_be_visible()
    expect(page.get_by_text("users:manage")).to_be_visible()
    expect(page.get_by_role("button", name="Invite")).to_have_count(0)
    picture(page, "members-viewer")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_text("audit:view")).to_be_visible()
    context.close()


def change_role(page: Page) -> None:
    row = page.get_by_role("row").filter(has_text="Bo Kern")
    expect(row).to_be_visible(timeout=15_000)
    row.get_by_role("button", name="Actions for Bo Kern").click()
    page.get_by_role("menuitem", name="Change role").click()
    page.get_by_role("radio", name="Member").check()
    page.get_by_label("Invite and remove people").check()
    picture(page, "change-role")
    page.get_by_role("button", name="Save").click()
    expect(row.get_by_text("+ Invite and remove people")).to_be_visible()
    picture(page, "members")


def read_the_trail(page: Page) -> None:
    page.get_by_role("link", name="Audit").click()
    log = page.get_by_role("table", name="Audit log")
    for action in (
        "user.register",
        "user.email_verify",
        "user.mfa_enable",
        "user.login",
        "org.member_invite",
        "org.member_join",
        "org.member_role_change",
    ):
        expect(log.get_by_role("button", name=action, exact=True).first).to_be_visible()
    picture(page, "audit")
    log.get_by_role("button", name="org.member_role_change").first.click()
    changes = page.get_by_role("table", name="What changed")
    expect(changes.locator("del").filter(has_text="viewer")).to_be_visible()
    expect(changes.locator("ins").filter(has_text='"member"')).to_be_visible()
    picture(page, "audit-entry")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Action").fill("org.*")
    expect(log.get_by_role("button", name="user.login")).to_have_count(0)
    assert "action=org" in page.url
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("The log is whole")).to_be_visible(timeout=30_000)
    picture(page, "audit-verified")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Everything with its seals").click()
    assert "org.member_role_change" in Path(download.value.path()).read_text()


def test_a_person_signs_up_secures_the_account_and_brings_in_another(
    new_cloud: Callable[..., Cloud],
) -> None:
    cloud = new_cloud(EDGEFLOW_REGISTRATION="open")
    cloud.up()
    with open_page() as page:
        sign_up(page, cloud)
        page.goto(link_in(latest_mail(cloud, ADA, "Confirm")))
        expect(page.get_by_text("Your address is verified")).to_be_visible()
        picture(page, "verified")
        page.get_by_role("link", name="Go to devices").click()
        page.get_by_role("heading", name="Devices").wait_for()
        expect(page.get_by_text("Verify your e-mail address")).to_have_count(0)

        totp, codes = set_up_totp(page)
        spent = totp.now()
        log_out(page)
        enter(page, cloud, ADA, PASSWORD)
        page.get_by_label("Code").fill("000000")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        picture(page, "login-code")
        page.get_by_label("Code").fill(next_code(page, totp, spent))
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("heading", name="Devices").wait_for()

        log_out(page)
        enter(page, cloud, ADA, PASSWORD)
        page.get_by_label("Code").fill(codes[0])
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("heading", name="Devices").wait_for()
        page.goto(f"{cloud.url}/account/security")
        expect(page.get_by_text("9 recovery codes are left")).to_be_visible()
        page.get_by_role("link", name="Sessions").click()
        expect(page.get_by_text("This one")).to_be_visible()
        picture(page, "sessions")

        invite(page)
        assert page.context.browser is not None
        accept(cloud, page.context.browser)
        change_role(page)
        page.get_by_role("link", name="Security").click()
        without = page.get_by_role("region", name="Without a second factor")
        expect(without.get_by_text(BO)).to_be_visible()
        expect(without.get_by_text(ADA)).to_have_count(0)
        picture(page, "organization-security")
        read_the_trail(page)


def test_projects_keys_usage_and_a_forgotten_password(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    cloud.up()
    with open_page() as page:
        enter(page, cloud, "owner@edgeflow.local", cloud.password)
        page.get_by_role("heading", name="Devices").wait_for()
        page.get_by_role("link", name="Organization").click()
        page.get_by_label("E-mail for notices").fill("plant@example.com")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved")).to_be_visible()

        page.get_by_role("link", name="Projects").click()
        page.get_by_role("button", name="New project").click()
        page.get_by_role("dialog").get_by_label("Name").fill("Hall 7")
        page.get_by_role("dialog").get_by_role("button", name="Create the project").click()
        expect(page.get_by_role("row").filter(has_text="Hall 7")).to_be_visible()
        picture(page, "projects")

        page.get_by_role("link", name="API keys").click()
        page.get_by_role("button", name="New API key").click()
        page.get_by_role("dialog").get_by_label("Name").fill("Nightly report")
        picture(page, "api-key-form")
        page.get_by_role("dialog").get_by_role("button", name="Create the key").click()
        key = page.get_by_test_id("api-key").locator("code").inner_text()
        assert key.startswith("edgeflow_")
        picture(page, "api-key")
        page.get_by_role("button", name="I have kept it").click()
        row = page.get_by_role("row").filter(has_text="Nightly report")
        expect(row.get_by_text("devices:read")).to_be_visible()
        picture(page, "api-keys")
        row.get_by_role("button", name="Revoke Nightly report").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(row).to_have_count(0)

        page.get_by_role("link", name="Usage").click()
        expect(page.get_by_text("Plan Enterprise")).to_be_visible()
        picture(page, "usage")

        log_out(page)
        page.get_by_role("link", name="Forgot your password?").click()
        page.get_by_label("E-mail").fill("owner@edgeflow.local")
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_text("Look in your mail")).to_be_visible()
        picture(page, "forgot-password")
        page.goto(link_in(latest_mail(cloud, "owner@edgeflow.local", "password")))
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_text("Your password is changed")).to_be_visible()
        picture(page, "reset-password")
        enter(page, cloud, "owner@edgeflow.local", PASSWORD)
        page.get_by_role("heading", name="Devices").wait_for()

    with open_page(scheme="dark", width=390, height=844) as page:
        enter(page, cloud, "owner@edgeflow.local", PASSWORD)
        page.get_by_role("heading", name="Devices").wait_for()
        for place in ("account/security", "organization", "organization/members", "organization/audit"):
            page.goto(f"{cloud.url}/{place}")
            page.get_by_role("region").first.wait_for()
            page.wait_for_timeout(800)
            picture(page, f"phone-{place.replace('/', '-')}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
