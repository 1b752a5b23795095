"""The desk each role starts from."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
