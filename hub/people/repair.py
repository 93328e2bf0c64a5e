"""Django's admin as an app, kept for repair and closed to all but technical admins."""

from django.contrib.admin.apps import AdminConfig


class RepairAdminConfig(AdminConfig):
    default_site = "hub.people.admin_site.RepairSite"
