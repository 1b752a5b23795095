"""Addresses of the machine's own pages."""

from django.urls import path

from config import status

app_name = "config"
urlpatterns = [
    path("status/", status.status, name="status"),
]
