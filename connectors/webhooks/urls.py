"""Where services announce changes, and the admin's buttons for it."""

from django.urls import path

from . import views

app_name = "webhooks"
urlpatterns = [
    path("hooks/<str:service>/<str:address>/", views.receive, name="receive"),
    path("syncs/<int:pk>/webhooks/<int:on>/", views.switch, name="switch"),
    path("syncs/<int:pk>/webhooks/secret/", views.secret_edit, name="secret_edit"),
    path("syncs/<int:pk>/webhooks/renew/", views.secret_renew, name="secret_renew"),
    path("syncs/<int:pk>/webhooks/move/", views.move, name="move"),
]
